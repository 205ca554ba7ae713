// The table is scaled so that its largest sum of four signs is half of the largest value, and a
// zero sum is stored exactly. What rounding adds to a bound's deviation is known, since every group
// is rounded by at most half a step.
//
// Thousands of groups with one offset for all would leave values of few levels, whose rounding
// errors no longer cancel. There each group has an offset of its own, the size of its largest sum,
// and the step is the least with which the sums of all groups stay in range. The lowest values are
// cut off by up to a step, which makes an estimate nearer: the safe side.
#include "index/search/scan_query.h"

#include <algorithm>
#include <cmath>

#include "core/kernels/dispatch.h"

namespace obliq {
namespace {

constexpr int kMaxValue = 30;
constexpr float kOffset = kMaxValue / 2;  // whole, so that a zero sum is stored exactly
constexpr std::size_t kMaxSum = 65535;

float inverse_of(float step) { return step > 0 && std::isfinite(1 / step) ? 1 / step : 0.0F; }

}  // namespace

ScanQuery::ScanQuery(std::size_t dim) : dim_(dim), lut_(16 * sign_groups(dim)) {}

void ScanQuery::set(const float* query) {
  const std::size_t groups = sign_groups(dim_);
  float largest = 0;
  double all = 0;
  for (std::size_t i = 0; i < dim_; i += 4) {
    float sum = 0;
    for (std::size_t j = i; j < std::min(i + 4, dim_); ++j) sum += std::abs(query[j]);
    largest = std::max(largest, sum);
    all += sum;
  }
  step_ = largest / kOffset;
  if (groups * kMaxValue > kMaxSum) {
    set_wide(query, static_cast<float>(all));
    return;
  }
  zero_ = static_cast<float>(groups) * kOffset;
  kernels().build_lut(query, dim_, inverse_of(step_), kOffset, kMaxValue, lut_.data());
}

// `all`: sum of |query|. The sum of all largest values is at most 2 all / step + groups.
void ScanQuery::set_wide(const float* query, float all) {
  const std::size_t groups = sign_groups(dim_);
  step_ = std::max(step_, 2.001F * all / static_cast<float>(kMaxSum - groups));
  const float inverse = inverse_of(step_);
  zero_ = 0;
  for (std::size_t g = 0; g < groups; ++g) {
    const std::size_t width = std::min<std::size_t>(4, dim_ - 4 * g);
    float sum = 0;
    for (std::size_t j = 0; j < width; ++j) sum += std::abs(query[4 * g + j]);
    const float offset = std::floor(sum * inverse);
    kernels().build_lut(query + 4 * g, width, inverse, offset, kMaxValue, lut_.data() + 16 * g);
    zero_ += offset;
  }
}

void ScanQuery::set_shift(float spread, float deviations, ScanList& list) const {
  const float groups = static_cast<float>(sign_groups(dim_));
  const float rounding2 = step_ * step_ * groups / 12;
  const float slack = deviations * std::sqrt(spread * spread + rounding2);
  list.lut_step = step_;
  list.lut_shift = slack - zero_ * step_;
}

}  // namespace obliq
