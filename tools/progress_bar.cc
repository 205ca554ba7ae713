#include "tools/progress_bar.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "tools/interrupt.h"

namespace obliq::tools {
namespace {

constexpr std::chrono::milliseconds kRedraw{100};
constexpr int kBarWidth = 24;
constexpr double kLeastForEta = 0.01;

std::string clock_text(double seconds) {
  const auto whole = static_cast<long>(seconds + 0.5);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace

std::string progress_line(std::string_view label, std::string_view stage, double fraction,
                          double elapsed_seconds) {
  fraction = std::clamp(fraction, 0.0, 1.0);
  const int filled = static_cast<int>(fraction * kBarWidth + 0.5);
  std::string line =
      fmt::format("{}: {} [{:#>{}}{:.>{}}] {:3.0f} %  {}", label, stage, "", filled, "",
                  kBarWidth - filled, 100 * fraction, clock_text(elapsed_seconds));
  if (fraction >= kLeastForEta) {
    line += fmt::format(", {} left", clock_text(elapsed_seconds * (1 - fraction) / fraction));
  }
  return line;
}

ProgressBar::ProgressBar(std::string label)
    : label_(std::move(label)), on_terminal_(isatty(STDERR_FILENO) == 1) {}

ProgressBar::~ProgressBar() { clear(); }

Progress ProgressBar::callback() {
  return [this](std::string_view stage, double fraction) { return update(stage, fraction); };
}

void ProgressBar::clear() {
  if (!drawn_) return;
  fmt::print(stderr, "\r\033[K");
  std::fflush(stderr);
  drawn_ = false;
}

bool ProgressBar::update(std::string_view stage, double fraction) {
  if (interrupted() != 0) return false;
  if (!on_terminal_) return true;
  const auto now = Clock::now();
  if (stage != stage_) {
    stage_ = stage;
    stage_start_ = now;
  } else if (now - last_draw_ < kRedraw) {
    return true;
  }
  last_draw_ = now;
  const std::chrono::duration<double> elapsed = now - stage_start_;
  fmt::print(stderr, "\r\033[K{}", progress_line(label_, stage, fraction, elapsed.count()));
  std::fflush(stderr);
  drawn_ = true;
  return true;
}

}  // namespace obliq::tools
