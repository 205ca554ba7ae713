// tqp2..tqp8: TurboQuant_prod (arXiv 2504.19874, Algorithm 2) on vectors that are already rotated:
// tq of bits-1, and a one-bit sketch of what it leaves, r = x/|x| - y:
//
//     x^ = |x| y + |x||r| scale S^T sign(S r)        E<x^,q> = <x,q> over S
//
// code:     [sign plane of y] [its other bits-2 planes] [sketch plane]
// factors:  |x|, |x||r|
//
// ":gaussian" is the sketch of the paper, ":orthogonal" that of the released code with its
// constant made exact for finite dims. ":constnorm" puts sqrt(D) of the dim's levels of bits-1 in
// the place of |r|, as the released code does: one factor less, and the mean over vectors stays
// unbiased only as far as |r| is the same for all.
#include <cmath>
#include <vector>

#include "core/kernels/dispatch.h"
#include "quant/bit_planes.h"
#include "quant/codebook.h"
#include "quant/families.h"
#include "quant/scalar/sketch.h"
#include "quant/scalar_code.h"

namespace obliq {
namespace {

constexpr std::int16_t kSignLevels[] = {-1, 1};

// |x||r|; a constant |r| above 0 stands for the stored one.
float residual_length(const Factors& factors, float constant) {
  return constant > 0 ? factors[0] * constant : factors[1];
}

class TqpScorer final : public Scorer {
 public:
  /// `sketch` must outlive the scorer. `residual_norm`: see Tqp.
  TqpScorer(const ScalarCode& code, const Sketch& sketch, float residual_norm)
      : kernels_(kernels()),
        code_(code),
        sketch_(sketch),
        residual_norm_(residual_norm),
        projected_(code.dim()),
        query_(code.dim(), ScalarCode::kMaxLevel),
        sketch_query_(code.dim(), ScalarCode::kMaxLevel) {}

  void set_query(const float* query) override {
    query_.set(query);
    step_ = query_.step() * code_.step();
    sketch_.project(query, projected_.data());
    sketch_query_.set(projected_.data());
    sketch_step_ = sketch_query_.step() * sketch_.scale();
  }

  void products(std::span<const CodeRef> codes, float* out) const override {
    const std::size_t offset = code_.code_bytes() - plane_bytes(code_.dim());
    for (std::size_t i = 0; i < codes.size(); ++i) {
      const std::int32_t sum = code_.product(codes[i].signs, codes[i].rest, query_);
      const std::int32_t sketch_sum = kernels_.dot_planes(
          codes[i].rest + offset, nullptr, 1, kSignLevels, sketch_query_.values(), code_.dim());
      out[i] = codes[i].factors[0] * (static_cast<float>(sum) * step_) +
               residual_length(codes[i].factors, residual_norm_) *
                   (static_cast<float>(sketch_sum) * sketch_step_);
    }
  }

 private:
  const Kernels& kernels_;
  ScalarCode code_;
  const Sketch& sketch_;
  float residual_norm_;
  std::vector<float> projected_;
  IntegerQuery query_;
  IntegerQuery sketch_query_;
  float step_ = 0;
  float sketch_step_ = 0;
};

class Tqp final : public Quantizer {
 public:
  Tqp(const QuantizerRequest& request, std::unique_ptr<const Sketch> sketch)
      : spec_(request.spec),
        code_(request.dim, coordinate_codebook(request.count() - 1, request.dim)),
        sketch_(std::move(sketch)) {
    if (!request.has("constnorm")) return;
    const Codebook codebook = coordinate_codebook(request.count() - 1, request.dim);
    residual_norm_ = static_cast<float>(std::sqrt(distortion(codebook)));
  }

  std::string spec() const override { return spec_; }
  std::size_t dim() const override { return code_.dim(); }
  double bits() const override { return static_cast<double>(code_.bits() + 1); }
  CodeLayout layout() const override {
    return {code_.code_bytes() + plane_bytes(dim()), residual_norm_ > 0 ? 1U : 2U, true};
  }

  void encode(const float* x, std::uint8_t* code, Factors& factors) const override {
    factors = {};
    std::vector<std::uint8_t> bytes(dim());
    const SafeVector safe(x, dim(), kernels());
    const float norm = std::sqrt(safe.norm2());
    code_.encode(safe.data(), code_.input_scale(norm), bytes, code);
    std::vector<float> residual(dim());
    code_.decode(code, code_.step(), residual.data());
    const float inverse_norm = norm > 0 ? 1 / norm : 0;
    double residual2 = 0;
    for (std::size_t i = 0; i < dim(); ++i) {
      residual[i] = safe.data()[i] * inverse_norm - residual[i];
      residual2 += double{residual[i]} * residual[i];
    }
    std::vector<float> projected(dim());
    sketch_->project(residual.data(), projected.data());
    for (std::size_t i = 0; i < dim(); ++i) bytes[i] = projected[i] >= 0 ? 1 : 0;
    pack_plane(bytes, 0, code + code_.code_bytes());
    factors[0] = safe.original(norm);
    if (residual_norm_ == 0) factors[1] = safe.original(norm * std::sqrt(residual2));
  }

  void decode(const std::uint8_t* code, const Factors& factors, float* x) const override {
    code_.decode(code, factors[0] * code_.step(), x);
    std::vector<std::uint8_t> signs(dim());
    merge_plane(code + code_.code_bytes(), 0, signs);
    std::vector<float> z(dim());
    for (std::size_t i = 0; i < dim(); ++i) z[i] = signs[i] != 0 ? 1.0F : -1.0F;
    std::vector<float> back(dim());
    sketch_->project_back(z.data(), back.data());
    const float scale = residual_length(factors, residual_norm_) * sketch_->scale();
    for (std::size_t i = 0; i < dim(); ++i) x[i] += scale * back[i];
  }

  std::unique_ptr<Scorer> make_scorer() const override {
    return std::make_unique<TqpScorer>(code_, *sketch_, residual_norm_);
  }

 private:
  std::string spec_;
  ScalarCode code_;
  std::unique_ptr<const Sketch> sketch_;
  float residual_norm_ = 0;  // the same for all vectors; 0: stored with each
};

}  // namespace

QuantizerPtr make_tqp(const QuantizerRequest& request) {
  const auto make = request.has("gaussian") ? make_gaussian_sketch : make_orthogonal_sketch;
  return std::make_unique<Tqp>(request, make(request.dim, request.seed));
}

}  // namespace obliq
