// lm1..lm8: Lloyd-Max levels of the normal law, the input scale of each vector chosen for the
// largest cosine with the decoded code, and the rescale factor (RaBitQ, arXiv 2405.12497; EDEN,
// arXiv 2108.08842):
//
//     y  = level nearest to s sqrt(dim) x / |x|,  s searched for the largest <x,y>/(|x||y|)
//     x^ = factor * y / sqrt(dim),                factor = |x|^2 / <x, y / sqrt(dim)>
//
// Over a random rotation E<x^,q> = <x,q> exactly, for every s, and the variance is
// (|x|^2|q|^2 - <x,q>^2) / (dim-1) * E[1/cos^2 - 1]. With 1 bit y is the sign and s has no effect.
// The factor is about |x|, where fp16 is precise.
#include <cmath>
#include <vector>

#include "quant/codebook.h"
#include "quant/families.h"
#include "quant/kernels/dispatch.h"
#include "quant/scalar_code.h"

namespace obliq {
namespace {

class Lm final : public Quantizer {
 public:
  explicit Lm(const QuantizerRequest& request)
      : spec_(request.spec), code_(request.dim, normal_codebook(request.bits)) {}

  std::string spec() const override { return spec_; }
  std::size_t dim() const override { return code_.dim(); }
  double bits() const override { return static_cast<double>(code_.bits()); }
  CodeLayout layout() const override { return {code_.code_bytes(), 1, true}; }

  void encode(const float* x, std::uint8_t* code, Factors& factors) const override {
    factors = {};
    std::vector<std::uint8_t> indices(dim());
    const SafeVector safe(x, dim(), kernels());
    if (safe.norm2() == 0) {
      code_.encode(x, 1, indices, code);
      return;
    }
    const Choice best = search(safe.data(), code_.input_scale(std::sqrt(safe.norm2())));
    code_.encode(safe.data(), best.scale, indices, code);
    factors[0] = safe.original(safe.norm2() / (code_.step() * double{best.xy}));
  }

  void decode(const std::uint8_t* code, const Factors& factors, float* x) const override {
    code_.decode(code, factors[0] * code_.step(), x);
  }

  std::unique_ptr<Scorer> make_scorer() const override { return make_scalar_scorer(code_); }

 private:
  struct Choice {
    float scale;
    float xy;       // <x, L>
    float cosine2;  // |x|^2 times the squared cosine
  };

  Choice attempt(const float* x, float scale) const {
    const ScalarCode::Score score = code_.score(x, scale);
    return {scale, score.xy, score.xy * score.xy / score.yy};
  }

  // The best of a grid around `scale`, then of two halvings of its step.
  Choice search(const float* x, float scale) const {
    Choice best = attempt(x, scale);
    if (code_.bits() == 1) return best;
    const auto improve = [&](float factor) {
      const Choice choice = attempt(x, scale * factor);
      if (choice.cosine2 > best.cosine2) best = choice;
    };
    for (int i = 1; i <= 3; ++i) {
      improve(1 - 0.06F * static_cast<float>(i));
      improve(1 + 0.06F * static_cast<float>(i));
    }
    for (const float step : {0.03F, 0.015F}) {
      const float centre = best.scale / scale;
      improve(centre - step);
      improve(centre + step);
    }
    return best;
  }

  std::string spec_;
  ScalarCode code_;
};

}  // namespace

QuantizerPtr make_lm(const QuantizerRequest& request) { return std::make_unique<Lm>(request); }

}  // namespace obliq
