#include "quant/scalar_code.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <limits>

#include "quant/bit_planes.h"
#include "quant/kernels/dispatch.h"

namespace obliq {

ScalarCode::ScalarCode(std::size_t dim, const Codebook& codebook)
    : kernels_(kernels()),
      dim_(dim),
      bits_(static_cast<std::size_t>(std::bit_width(codebook.levels.size() - 1))),
      step_(codebook.levels.back() / kMaxLevel) {
  assert(std::has_single_bit(codebook.levels.size()) && bits_ >= 1 && bits_ <= 8);
  for (const double level : codebook.levels) {
    levels_.push_back(static_cast<std::int16_t>(std::lround(level / step_)));
    float_levels_.push_back(levels_.back());
  }
  for (std::size_t k = 0; k + 1 < levels_.size(); ++k) {
    thresholds_.push_back(static_cast<float>(0.5 * step_ * (levels_[k] + levels_[k + 1])));
  }
  // A level is taken above its threshold, but the sign of 0 is positive.
  thresholds_[levels_.size() / 2 - 1] = -std::numeric_limits<float>::min();
}

ScalarCode::Score ScalarCode::score(const float* x, float scale) const {
  Score score{};
  kernels_.score_levels(x, dim_, scale, thresholds_.data(), float_levels_.data(),
                        thresholds_.size(), &score.xy, &score.yy);
  return score;
}

void ScalarCode::encode(const float* x, float scale, std::span<std::uint8_t> indices,
                        std::uint8_t* code) const {
  kernels_.nearest_level(x, dim_, scale, thresholds_.data(), thresholds_.size(), indices.data());
  pack_indices(indices, bits_, code);
}

void ScalarCode::decode(const std::uint8_t* code, float factor, float* out) const {
  std::vector<std::uint8_t> indices(dim_);
  unpack_indices(code, bits_, indices);
  for (std::size_t i = 0; i < dim_; ++i) out[i] = float_levels_[indices[i]] * factor;
}

SafeVector::SafeVector(const float* x, std::size_t dim, const Kernels& kernels)
    : data_(x), norm2_(kernels.dot(x, x, dim)) {
  constexpr float kSmall = 0x1p-60F;
  constexpr float kLarge = 0x1p60F;
  if (norm2_ > kSmall && norm2_ < kLarge) return;
  float largest = 0;
  for (std::size_t i = 0; i < dim; ++i) largest = std::max(largest, std::abs(x[i]));
  if (largest == 0) return;
  std::frexp(largest, &exponent_);
  scaled_.resize(dim);
  for (std::size_t i = 0; i < dim; ++i) scaled_[i] = std::ldexp(x[i], -exponent_);
  data_ = scaled_.data();
  norm2_ = kernels.dot(data_, data_, dim);
}

float SafeVector::original(double length) const {
  return static_cast<float>(std::ldexp(length, exponent_));
}

}  // namespace obliq
