// tq1..tq8: TurboQuant_mse (arXiv 2504.19874, Algorithm 1) on vectors that are already rotated:
// each coordinate of x/|x| goes to the nearest Lloyd-Max level of the law of a random direction's
// coordinate, and the norm is kept:
//
//     x^ = |x| y,    E|x - x^|^2 = D_b |x|^2,    E<x^,q> = (1 - D_b) <x,q>
//
// The shrinkage by 1 - D_b is the algorithm's, and kept. tq2.5 and tq3.5: tq_split.cc.
#include <cmath>
#include <vector>

#include "core/kernels/dispatch.h"
#include "quant/codebook.h"
#include "quant/families.h"
#include "quant/scalar_code.h"

namespace obliq {
namespace {

class Tq final : public Quantizer {
 public:
  explicit Tq(const QuantizerRequest& request)
      : spec_(request.spec),
        code_(request.dim, coordinate_codebook(request.count(), request.dim)) {}

  std::string spec() const override { return spec_; }
  std::size_t dim() const override { return code_.dim(); }
  double bits() const override { return static_cast<double>(code_.bits()); }
  CodeLayout layout() const override { return {code_.code_bytes(), 1, true}; }

  void encode(const float* x, std::uint8_t* code, Factors& factors) const override {
    factors = {};
    std::vector<std::uint8_t> indices(dim());
    const SafeVector safe(x, dim(), kernels());
    const float norm = std::sqrt(safe.norm2());
    code_.encode(safe.data(), code_.input_scale(norm), indices, code);
    factors[0] = safe.original(norm);
  }

  void decode(const std::uint8_t* code, const Factors& factors, float* x) const override {
    code_.decode(code, factors[0] * code_.step(), x);
  }

  std::unique_ptr<Scorer> make_scorer() const override { return make_scalar_scorer(code_); }

 private:
  std::string spec_;
  ScalarCode code_;
};

}  // namespace

QuantizerPtr make_tq(const QuantizerRequest& request) {
  if (request.number != std::floor(request.number)) return make_tq_split(request);
  return std::make_unique<Tq>(request);
}

}  // namespace obliq
