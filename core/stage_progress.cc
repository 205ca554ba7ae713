// A stage ends when the next one begins, or the call.
#include "core/stage_progress.h"

#include <algorithm>

namespace obliq {

Progress StageProgress::callback() {
  if (!outer_) return {};
  return [this](std::string_view stage, double fraction) { return update(stage, fraction); };
}

void StageProgress::end() {
  if (!end_stage()) throw Cancelled();
}

bool StageProgress::update(std::string_view stage, double fraction) {
  if (stage != stage_) {
    if (!end_stage()) return false;
    stage_ = stage;
    done_ = 0;
  }
  done_ = std::clamp(fraction, done_, 1.0);
  return outer_(stage_, done_);
}

bool StageProgress::end_stage() {
  if (stage_.empty() || done_ >= 1) return true;
  done_ = 1;
  return outer_(stage_, 1);
}

}  // namespace obliq
