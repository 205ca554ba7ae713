// Progress as callers of the library see it, whatever its parts report: within a stage the fraction
// never falls, and each stage ends at 1, also where a part reports its beginning alone.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "obliq/progress.h"

namespace obliq {

/// One per call of the library. Used on the thread that called.
class StageProgress {
 public:
  explicit StageProgress(Progress outer) : outer_(std::move(outer)) {}
  StageProgress(const StageProgress&) = delete;
  StageProgress& operator=(const StageProgress&) = delete;

  /// What the parts report to; empty where the outer one is. This outlives it.
  Progress callback();
  /// Reports that the last stage is done. Throws Cancelled when the caller stops.
  void end();

 private:
  bool update(std::string_view stage, double fraction);
  bool end_stage();

  Progress outer_;
  std::string stage_;  ///< empty: none yet
  double done_ = 0;    ///< of stage_
};

}  // namespace obliq
