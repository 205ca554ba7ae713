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
#include <algorithm>
#include <cmath>
#include <vector>

#include "core/kernels/dispatch.h"
#include "quant/codebook.h"
#include "quant/families.h"
#include "quant/scalar_code.h"

namespace obliq {
namespace {

// Input scales to try, relative to variance 1.
struct ScaleGrid {
  float first;
  float step;
  std::size_t points;
};

// The best scale of a Gaussian vector spreads by about .4 dim^(-1/4) around 1, or somewhat above
// from 5 bits on, where vectors seldom reach the outer levels; the grid holds five of that. Random
// hills make more points pay at small dims and many bits. At dims 16 to 1536, E[1/cos^2 - 1] comes
// within 1 % of what 80 scales give up to 7 bits, within 2 % at 8 bits.
ScaleGrid scale_grid(std::size_t bits, std::size_t dim) {
  constexpr double kCentre[] = {0, 0, 0, 0, .3, .55, .55, .55};
  constexpr double kPointsAt384[] = {1, 5, 9, 13, 17, 21, 21, 21};
  if (bits == 1) return {1, 0, 1};
  const auto d = static_cast<double>(dim);
  const double reach = std::min(0.5, 1 / std::sqrt(std::sqrt(d)));  // pow differs between libraries
  const double points =
      std::ceil(kPointsAt384[bits - 1] * std::clamp(std::sqrt(384 / d), 0.5, 2.0));
  return {static_cast<float>(1 + (kCentre[bits - 1] - 1) * reach),
          static_cast<float>(2 * reach / (points - 1)), static_cast<std::size_t>(points)};
}

class Lm final : public Quantizer {
 public:
  explicit Lm(const QuantizerRequest& request)
      : spec_(request.spec),
        code_(request.dim, normal_codebook(request.count())),
        grid_(scale_grid(request.count(), request.dim)) {}

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

  // The best of the grid, then of two halvings of its step. `unit` scales x to variance 1.
  Choice search(const float* x, float unit) const {
    Choice best = attempt(x, unit * grid_.first);
    const auto improve = [&](float scale) {
      const Choice choice = attempt(x, scale);
      if (choice.cosine2 > best.cosine2) best = choice;
    };
    for (std::size_t i = 1; i < grid_.points; ++i) {
      improve(unit * (grid_.first + grid_.step * static_cast<float>(i)));
    }
    if (grid_.points == 1) return best;
    for (const float step : {grid_.step / 2, grid_.step / 4}) {
      const float centre = best.scale;
      improve(centre - unit * step);
      improve(centre + unit * step);
    }
    return best;
  }

  std::string spec_;
  ScalarCode code_;
  ScaleGrid grid_;
};

}  // namespace

QuantizerPtr make_lm(const QuantizerRequest& request) {
  if (request.has("query") || request.has("query-beam")) return make_lm_query(request);
  return std::make_unique<Lm>(request);
}

}  // namespace obliq
