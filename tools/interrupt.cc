#include "tools/interrupt.h"

#include <csignal>

namespace obliq::tools {
namespace {

// The one mutable variable of the program outside functions: a signal handler reaches nothing else.
volatile std::sig_atomic_t caught = 0;

void remember(int) { caught = 1; }

}  // namespace

void catch_interrupts() {
  struct sigaction action = {};
  action.sa_handler = remember;
  action.sa_flags = static_cast<int>(SA_RESETHAND);  // the second Ctrl-C kills
  sigaction(SIGINT, &action, nullptr);
}

bool interrupted() { return caught != 0; }

}  // namespace obliq::tools
