#include "quant/scalar_code.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <limits>

#include "core/kernels/dispatch.h"
#include "core/largest.h"
#include "quant/bit_planes.h"

namespace obliq {

ScalarCode::ScalarCode(std::size_t dim, const Codebook& codebook)
    : kernels_(kernels()),
      dim_(dim),
      bits_(static_cast<std::size_t>(std::bit_width(codebook.levels.size() - 1))),
      root_dim_(std::sqrt(static_cast<float>(dim))),
      step_(static_cast<float>(codebook.levels.back() / kMaxLevel) / root_dim_) {
  assert(std::has_single_bit(codebook.levels.size()) && bits_ >= 1 && bits_ <= 8);
  const double unit = codebook.levels.back() / kMaxLevel;
  for (const double level : codebook.levels) {
    levels_.push_back(static_cast<std::int16_t>(std::lround(level / unit)));
    float_levels_.push_back(levels_.back());
  }
  for (std::size_t k = 0; k + 1 < levels_.size(); ++k) {
    thresholds_.push_back(static_cast<float>(0.5 * unit * (levels_[k] + levels_[k + 1])));
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

namespace {

class ScalarScorer final : public Scorer {
 public:
  explicit ScalarScorer(const ScalarCode& code)
      : code_(code), query_(code.dim(), ScalarCode::kMaxLevel) {}

  void set_query(const float* query) override {
    query_.set(query);
    step_ = query_.step() * code_.step();
  }

  void products(std::span<const CodeRef> codes, float* out) const override {
    for (std::size_t i = 0; i < codes.size(); ++i) {
      const std::int32_t sum = code_.product(codes[i].signs, codes[i].rest, query_);
      out[i] = codes[i].factors[0] * (static_cast<float>(sum) * step_);
    }
  }

 private:
  ScalarCode code_;
  IntegerQuery query_;
  float step_ = 0;
};

}  // namespace

std::unique_ptr<Scorer> make_scalar_scorer(const ScalarCode& code) {
  return std::make_unique<ScalarScorer>(code);
}

SafeVector::SafeVector(const float* x, std::size_t dim, const Kernels& kernels)
    : data_(x), norm2_(kernels.dot(x, x, dim)) {
  constexpr float kSmall = 0x1p-60F;
  constexpr float kLarge = 0x1p60F;
  if (norm2_ > kSmall && norm2_ < kLarge) return;
  const float largest = largest_size(x, dim);
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
