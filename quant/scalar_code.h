// Shared by all scalar quantizers: a codebook of at most 256 levels held as integers, bit planes,
// and the integer product with a query. The decoded vector is
//
//     y_i = step() * L[index_i],    L[k] = round(level_k * 2047 / largest level),
//
// for vectors of norm 1; the codebook's own levels have variance 1, so that the encoder wants them
// scaled to norm sqrt(dim), and step() = largest level / (2047 sqrt(dim)). Encoder, decoder and
// product use the same rounded levels, so that rescaled estimators stay exactly unbiased. Rounding
// raises D by less than 1 % at 8 bits and less than .1 % below 7.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/kernels/kernels.h"
#include "obliq/quantizer.h"
#include "quant/codebook.h"
#include "quant/integer_query.h"

namespace obliq {

class ScalarCode {
 public:
  /// The largest integer level.
  static constexpr int kMaxLevel = 2047;

  ScalarCode(std::size_t dim, const Codebook& codebook);

  std::size_t dim() const { return dim_; }
  std::size_t bits() const { return bits_; }
  std::size_t code_bytes() const { return bits_ * plane_bytes(dim_); }
  float step() const { return step_; }
  /// The size of an integer level's unit in the codebook's units: step() * sqrt(dim).
  float unit() const { return step_ * root_dim_; }
  /// The integer levels L, rising.
  std::span<const float> levels() const { return float_levels_; }
  /// The factor that scales a vector of norm `norm` to the codebook's variance; 1 for a zero
  /// vector.
  float input_scale(float norm) const { return norm > 0 ? root_dim_ / norm : 1; }

  /// Sums over the levels that the vector x * scale takes: <x, L> and <L, L>.
  struct Score {
    float xy;
    float yy;
  };
  Score score(const float* x, float scale) const;

  /// Writes the code of x * scale; `indices` is scratch of dim bytes and keeps the level indices.
  void encode(const float* x, float scale, std::span<std::uint8_t> indices,
              std::uint8_t* code) const;

  /// out_i = L[index_i] * factor. Any code bytes are safe.
  void decode(const std::uint8_t* code, float factor, float* out) const;

  /// sum_i L[index_i] * query_i; the query was made for max_code kMaxLevel.
  std::int32_t product(const std::uint8_t* signs, const std::uint8_t* rest,
                       const IntegerQuery& query) const {
    return kernels_.dot_planes(signs, rest, bits_, levels_.data(), query.values(), dim_);
  }

 private:
  const Kernels& kernels_;
  std::size_t dim_;
  std::size_t bits_;
  float root_dim_;
  float step_;
  std::vector<std::int16_t> levels_;
  std::vector<float> float_levels_;
  std::vector<float> thresholds_;
};

/// Products of quantizers whose x^ is factors[0] * y.
std::unique_ptr<Scorer> make_scalar_scorer(const ScalarCode& code);

/// A vector that can be squared without overflow or underflow: x itself where it can, else x times
/// a power of two.
class SafeVector {
 public:
  SafeVector(const float* x, std::size_t dim, const Kernels& kernels);

  const float* data() const { return data_; }
  float norm2() const { return norm2_; }  ///< of data(); 0 only for a zero vector
  /// Turns a length measured on data() into one of the vector given.
  float original(double length) const;

 private:
  const float* data_;
  float norm2_;
  int exponent_ = 0;  // data = x * 2^-exponent
  std::vector<float> scaled_;
};

}  // namespace obliq
