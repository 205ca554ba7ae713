#include "quant/level_code.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/kernels/dispatch.h"
#include "quant/scalar_code.h"

namespace obliq {

void LevelCode::project(const float* q, float* out) const { std::copy_n(q, dim(), out); }

void LevelCode::project_back(const float* y, float* x) const { std::copy_n(y, dim(), x); }

std::int32_t LevelCode::product(const std::uint8_t* code, const IntegerQuery& query,
                                std::span<std::int16_t> scratch) const {
  levels(code, scratch.data());
  return kernels().dot_words(scratch.data(), query.values(), width());
}

namespace {

class LevelScorer final : public Scorer {
 public:
  /// `code` must outlive the scorer.
  explicit LevelScorer(const LevelCode& code)
      : code_(code),
        projected_(code.width()),
        levels_(code.width()),
        query_(code.width(), LevelCode::kMaxLevel) {}

  void set_query(const float* query) override {
    code_.project(query, projected_.data());
    query_.set(projected_.data());
    step_ = query_.step() * code_.unit();
  }

  void products(std::span<const CodeRef> codes, float* out) const override {
    for (std::size_t i = 0; i < codes.size(); ++i) {
      const std::int32_t sum = code_.product(codes[i].rest, query_, levels_);
      out[i] = codes[i].factors[0] * (static_cast<float>(sum) * step_);
    }
  }

 private:
  const LevelCode& code_;
  std::vector<float> projected_;
  mutable std::vector<std::int16_t> levels_;  // scratch of products
  IntegerQuery query_;
  float step_ = 0;
};

class LevelQuantizer final : public Quantizer {
 public:
  LevelQuantizer(std::string spec, double bits, std::unique_ptr<const LevelCode> code)
      : spec_(std::move(spec)), bits_(bits), code_(std::move(code)) {}

  std::string spec() const override { return spec_; }
  std::size_t dim() const override { return code_->dim(); }
  double bits() const override { return bits_; }
  CodeLayout layout() const override { return {code_->code_bytes(), 1, false}; }

  void encode(const float* x, std::uint8_t* code, Factors& factors) const override {
    factors = {};
    const SafeVector safe(x, dim(), kernels());
    const float norm = std::sqrt(safe.norm2());
    const float scale = norm > 0 ? std::sqrt(static_cast<float>(dim())) / norm : 1;
    std::vector<float> scaled(dim());
    for (std::size_t i = 0; i < dim(); ++i) scaled[i] = safe.data()[i] * scale;
    code_->choose(scaled.data(), code);
    if (norm == 0) return;
    if (!code_->unbiased()) {
      factors[0] = safe.original(norm);
      return;
    }
    decode(code, {1}, scaled.data());
    const float product = kernels().dot(safe.data(), scaled.data(), dim());
    // A code that points away from x, as the coarsest may at dim 1, stands for the zero vector.
    if (product > 0) factors[0] = safe.original(double{safe.norm2()} / product);
  }

  void decode(const std::uint8_t* code, const Factors& factors, float* x) const override {
    std::vector<std::int16_t> levels(code_->width());
    code_->levels(code, levels.data());
    std::vector<float> y(code_->width());
    const float scale = factors[0] * code_->unit();
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = scale * levels[i];
    code_->project_back(y.data(), x);
  }

  std::unique_ptr<Scorer> make_scorer() const override {
    return std::make_unique<LevelScorer>(*code_);
  }

  bool learns() const override { return code_->learns(); }

  QuantizerPtr train(const TrainingData& data) const override {
    auto trained = code_->train(data);
    if (trained == nullptr) return nullptr;
    return std::make_unique<LevelQuantizer>(spec_, bits_, std::move(trained));
  }

  std::vector<std::uint8_t> state() const override { return code_->state(); }

 private:
  std::string spec_;
  double bits_;
  std::unique_ptr<const LevelCode> code_;
};

}  // namespace

QuantizerPtr make_level_quantizer(const QuantizerRequest& request, double bits,
                                  std::unique_ptr<const LevelCode> code) {
  return std::make_unique<LevelQuantizer>(request.spec, bits, std::move(code));
}

}  // namespace obliq
