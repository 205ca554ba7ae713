// A progress line on stderr, for people: drawn only when stderr is a terminal, at most ten times a
// second, and wiped at the end.
//
//     build: k-means [##########..........]  50 %  0:12, 0:12 left
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "obliq/progress.h"

namespace obliq::tools {

/// The text of the line. `fraction` is clamped to [0, 1]; no time left is told before 1 % is done.
std::string progress_line(std::string_view label, std::string_view stage, double fraction,
                          double elapsed_seconds);

class ProgressBar {
 public:
  /// The callback asks the work to stop once a signal was remembered (interrupt.h).
  explicit ProgressBar(std::string label);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// To hand to long work. Valid as long as this object.
  Progress callback();
  /// Wipes the line, so that something else can be printed.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;

  bool update(std::string_view stage, double fraction);

  std::string label_;
  std::string stage_;
  Clock::time_point stage_start_;
  Clock::time_point last_draw_;
  bool on_terminal_;
  bool drawn_ = false;
};

}  // namespace obliq::tools
