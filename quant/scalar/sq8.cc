// sq8: uniform int8 with one scale per vector, and the rescale factor.
//
//     row_i = rint(x_i * 127 / max|x|)        code: dim bytes
//     x^    = factor * step * row,            factor = |x|^2 / (step <x, row>)
//
// so that <x^, x> = |x|^2 and, over a random rotation, E<x^, q> = <x, q> exactly. `step` is
// 1/(32 sqrt(dim)): it makes the factor about as large as |x|, where fp16 is precise.
#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "core/kernels/dispatch.h"
#include "core/largest.h"
#include "quant/families.h"
#include "quant/integer_query.h"
#include "quant/scalar_code.h"

namespace obliq {
namespace {

constexpr float kMaxByte = 127;
// Codes need not come from our encoder: -128 is a byte too.
constexpr int kMaxCode = 128;

float byte_step(std::size_t dim) {
  return static_cast<float>(1 / (32 * std::sqrt(static_cast<double>(dim))));
}

class Sq8Scorer final : public Scorer {
 public:
  explicit Sq8Scorer(std::size_t dim) : kernels_(kernels()), dim_(dim), query_(dim, kMaxCode) {}

  void set_query(const float* query) override {
    query_.set(query);
    step_ = query_.step() * byte_step(dim_);
  }
  ByteQuery byte_query() const override { return {{query_.values(), dim_}, query_.step()}; }

  void products(std::span<const CodeRef> codes, float* out) const override {
    for (std::size_t i = 0; i < codes.size(); ++i) {
      const auto* row = reinterpret_cast<const std::int8_t*>(codes[i].rest);
      const std::int32_t sum = kernels_.dot_bytes(row, query_.values(), dim_);
      out[i] = codes[i].factors[0] * (static_cast<float>(sum) * step_);
    }
  }

 private:
  const Kernels& kernels_;
  std::size_t dim_;
  IntegerQuery query_;
  float step_ = 0;
};

class Sq8 final : public Quantizer {
 public:
  explicit Sq8(std::size_t dim) : kernels_(kernels()), dim_(dim) {}

  std::string spec() const override { return "sq8"; }
  std::size_t dim() const override { return dim_; }
  double bits() const override { return 8; }
  CodeLayout layout() const override { return {dim_, 1, false}; }

  void encode(const float* x, std::uint8_t* code, Factors& factors) const override {
    factors = {};
    const SafeVector safe(x, dim_, kernels_);
    if (safe.norm2() == 0) {
      std::fill_n(code, dim_, std::uint8_t{0});
      return;
    }
    auto* row = reinterpret_cast<std::int8_t*>(code);
    kernels_.quantize_bytes(safe.data(), dim_, kMaxByte / largest_size(safe.data(), dim_), row);
    std::vector<float> levels(row, row + dim_);
    const double product = kernels_.dot(safe.data(), levels.data(), dim_);
    factors[0] = safe.original(safe.norm2() / (byte_step(dim_) * product));
  }

  void decode(const std::uint8_t* code, const Factors& factors, float* x) const override {
    const float scale = factors[0] * byte_step(dim_);
    for (std::size_t i = 0; i < dim_; ++i) x[i] = scale * std::bit_cast<std::int8_t>(code[i]);
  }

  std::unique_ptr<Scorer> make_scorer() const override { return std::make_unique<Sq8Scorer>(dim_); }

 private:
  const Kernels& kernels_;
  std::size_t dim_;
};

}  // namespace

QuantizerPtr make_sq8(const QuantizerRequest& request) {
  return std::make_unique<Sq8>(request.dim);
}

}  // namespace obliq
