// Shared by all quantizers whose decoded vector is a linear map of integer levels: lattices,
// trellises, overcomplete bases, water-filling. With A a map from dim to width() floats,
//
//     y  = unit() * A^T L(code),    |L_i| <= 2047        the decoded vector
//     x^ = factor * y,              factor = |x|^2/<x,y>    exactly unbiased over the rotation
//
// so that <x^,q> = factor * unit() * <L, A q>: A is applied once per query, which becomes integers,
// and each vector costs one expansion of its code and one integer product.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "obliq/quantizer.h"
#include "quant/families.h"
#include "quant/integer_query.h"

namespace obliq {

/// A code for vectors of one dimension. Immutable: share it between threads.
class LevelCode {
 public:
  /// The largest size of a level.
  static constexpr int kMaxLevel = 2047;

  explicit LevelCode(std::size_t dim) : dim_(dim) {}
  virtual ~LevelCode() = default;

  std::size_t dim() const { return dim_; }
  virtual std::size_t code_bytes() const = 0;
  /// Levels per vector.
  virtual std::size_t width() const { return dim_; }
  /// Makes y about 1 long.
  virtual float unit() const = 0;
  /// Whether the factor makes x^ unbiased along x. Else it is |x|: for a code that drops components
  /// in which queries have no weight, and whose x^ is rightly shorter than x.
  virtual bool unbiased() const { return true; }

  /// Codes x, dim floats with |x|^2 = dim or all zero. Writes code_bytes() bytes.
  virtual void choose(const float* x, std::uint8_t* code) const = 0;
  /// Writes the width() levels of a code. Any code bytes are safe.
  virtual void levels(const std::uint8_t* code, std::int16_t* levels) const = 0;

  /// out <- A q, width() floats from dim.
  virtual void project(const float* q, float* out) const;
  /// x <- A^T y, dim floats from width().
  virtual void project_back(const float* y, float* x) const;

  /// <L(code), query>, exact; the query was made for max_code kMaxLevel. `scratch` holds width()
  /// levels.
  virtual std::int32_t product(const std::uint8_t* code, const IntegerQuery& query,
                               std::span<std::int16_t> scratch) const;

  /// See Quantizer.
  virtual bool learns() const { return false; }
  virtual std::unique_ptr<const LevelCode> train(const TrainingData& /*data*/) const {
    return nullptr;
  }
  virtual std::vector<std::uint8_t> state() const { return {}; }

 private:
  std::size_t dim_;
};

/// The quantizer of a level code, with one factor. `bits`: code bits per dimension.
QuantizerPtr make_level_quantizer(const QuantizerRequest& request, double bits,
                                  std::unique_ptr<const LevelCode> code);

}  // namespace obliq
