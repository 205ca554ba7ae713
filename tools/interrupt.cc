#include "tools/interrupt.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstddef>
#include <string_view>

namespace obliq::tools {
namespace {

// The mutable variables of the program outside functions: a signal handler reaches nothing else.
volatile std::sig_atomic_t caught = 0;
volatile std::sig_atomic_t holders = 0;
std::array<char, 256> last_words;
std::size_t last_words_size = 0;

// Only what a signal handler may call.
void handle(int signal) {
  caught = signal;
  if (holders > 0) return;
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, last_words.data(), last_words_size);
  ::_exit(128 + signal);
}

}  // namespace

void catch_interrupts(const std::string& program) {
  constexpr std::string_view kWipeLine = "\r\033[K";
  const std::string text = std::string(isatty(STDERR_FILENO) == 1 ? kWipeLine : "") + program +
                           ": " + kCancelledText + "\n";
  last_words_size = text.copy(last_words.data(), last_words.size());
  std::signal(SIGXFSZ, SIG_IGN);  // a limit on file sizes is an error of whoever writes
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction action = {};
    sigaction(signal, nullptr, &action);
    if (signal != SIGINT && action.sa_handler == SIG_IGN) continue;
    action = {};
    action.sa_handler = handle;
    action.sa_flags = static_cast<int>(SA_RESETHAND);  // the second one kills
    sigaction(signal, &action, nullptr);
  }
}

int interrupted() { return caught; }

int interrupt_exit_code() { return 128 + (caught != 0 ? caught : SIGINT); }

HoldInterrupts::HoldInterrupts() { holders = holders + 1; }
HoldInterrupts::~HoldInterrupts() { holders = holders - 1; }

}  // namespace obliq::tools
