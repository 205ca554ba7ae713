// The table is scaled so that its largest sum of four signs is half of the largest value, and a
// zero sum is stored exactly. What rounding adds to a bound's deviation is known, since every group
// is rounded by at most half a step.
#include "index/search/scan_query.h"

#include <algorithm>
#include <cmath>

#include "core/kernels/dispatch.h"

namespace obliq {
namespace {

constexpr std::size_t kMaxValue = 30;
constexpr std::size_t kMaxSum = 65535;

}  // namespace

ScanQuery::ScanQuery(std::size_t dim) : dim_(dim), lut_(16 * sign_groups(dim)) {}

void ScanQuery::set(const float* query) {
  const std::size_t groups = sign_groups(dim_);
  float largest = 0;
  for (std::size_t i = 0; i < dim_; i += 4) {
    float sum = 0;
    for (std::size_t j = i; j < std::min(i + 4, dim_); ++j) sum += std::abs(query[j]);
    largest = std::max(largest, sum);
  }
  const std::size_t max_value = std::min(kMaxValue, kMaxSum / groups);
  offset_ = static_cast<float>(max_value / 2);  // whole, so that a zero sum is stored exactly
  step_ = largest / offset_;
  const float inverse = step_ > 0 && std::isfinite(1 / step_) ? 1 / step_ : 0.0F;
  kernels().build_lut(query, dim_, inverse, offset_, static_cast<int>(max_value), lut_.data());
}

void ScanQuery::set_shift(float spread, float deviations, ScanList& list) const {
  const float groups = static_cast<float>(sign_groups(dim_));
  const float rounding2 = step_ * step_ * groups / 12;
  const float slack = deviations * std::sqrt(spread * spread + rounding2);
  list.lut_step = step_;
  list.lut_shift = slack - groups * offset_ * step_;
}

}  // namespace obliq
