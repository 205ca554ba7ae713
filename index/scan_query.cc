#include "index/scan_query.h"

#include <algorithm>
#include <cmath>

#include "quant/kernels/dispatch.h"

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

ScanList scan_list(const ListRecord& record, const std::uint8_t* blocks, std::size_t dim,
                   float base, float slope, float weight) {
  ScanList list = {};
  list.blocks = blocks + record.first / kBlockEntries * block_bytes(dim);
  list.lane = static_cast<std::uint32_t>(record.first % kBlockEntries);
  list.count = record.count;
  list.base = base;
  list.a_scale = slope * record.a_scale;
  list.b_scale = slope * weight * record.scale;
  return list;
}

}  // namespace obliq
