#include "quant/query_aware/scalar_rounder.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace obliq {
namespace {

constexpr float kReach = ScalarCode::kMaxLevel;  // no threshold lies beyond

}  // namespace

ScalarRounder::ScalarRounder(const ScalarCode& code)
    : levels_(code.levels().begin(), code.levels().end()) {
  for (std::size_t k = 0; k + 1 < levels_.size(); ++k) {
    thresholds_.push_back((levels_[k] + levels_[k + 1]) / 2);
  }
  // As in scalar_code.h: the sign of 0 is positive.
  thresholds_[levels_.size() / 2 - 1] = -std::numeric_limits<float>::min();
  float closest = 2 * kReach;
  for (std::size_t k = 0; k + 1 < thresholds_.size(); ++k) {
    closest = std::min(closest, thresholds_[k + 1] - thresholds_[k]);
  }
  const auto cells = static_cast<std::size_t>(std::ceil(2 * kReach / closest)) + 1;
  cells_per_unit_ = static_cast<float>(cells) / (2 * kReach);
  for (std::size_t c = 0; c <= cells; ++c) {
    const float start = static_cast<float>(c) / cells_per_unit_ - kReach;
    const auto above = std::lower_bound(thresholds_.begin(), thresholds_.end(), start - 1e-3F);
    lowest_.push_back(static_cast<std::uint8_t>(above - thresholds_.begin()));
  }
  thresholds_.push_back(std::numeric_limits<float>::infinity());
}

std::size_t ScalarRounder::index(float target) const {
  const float inside = std::clamp(target, -kReach, kReach);
  const std::size_t lowest = lowest_[static_cast<std::size_t>((inside + kReach) * cells_per_unit_)];
  return lowest + (target > thresholds_[lowest] ? 1 : 0);
}

void ScalarRounder::round(const float* target, float* point) const {
  for (std::size_t i = 0; i < kVectorLanes; ++i) point[i] = levels_[index(target[i])];
}

}  // namespace obliq
