// wf1..wf8: reverse water-filling, a code that knows the data: the oracle to compare data-oblivious
// quantizers with. x becomes its principal components, component i of deviation
// s_i gets N_i Lloyd-Max levels, few or none where s_i is small (water_filling.h):
//
//     L_i = level of N_i nearest to a_i x / s_i,      y = sum over i of s_i b_i L_i
//
// Trained on vectors alone, a_i = b_i are the eigenvectors of E x x^T and x^ is rescaled to be
// unbiased. Trained on queries too, the loss is <x - x^, q>^2: with E q q^T = C C^T the components
// are those of C^T x, a_i = C u_i and b_i = C^-T u_i; components without weight in queries are
// dropped, so x^ is not rescaled. Untrained, it is the Lloyd-Max code of equal variances.
#include <algorithm>
#include <cmath>
#include <map>
#include <stdexcept>

#include "core/kernels/dispatch.h"
#include "quant/bit_stream.h"
#include "quant/codebook.h"
#include "quant/families.h"
#include "quant/level_code.h"
#include "quant/water_filling/water_filling.h"
#include "quant/water_filling/wf_components.h"

namespace obliq {
namespace {

// A Lloyd-Max code as integers: level k is about step * levels[k].
struct LevelTable {
  explicit LevelTable(std::size_t count) {
    const Codebook book = normal_codebook_of(count);
    const double largest = std::max(book.levels.back(), 1e-9);  // one level: 0
    step = static_cast<float>(largest / LevelCode::kMaxLevel);
    for (const double level : book.levels) {
      levels.push_back(static_cast<std::int16_t>(std::lround(level / step)));
    }
    thresholds.assign(book.thresholds.begin(), book.thresholds.end());
  }

  std::uint8_t nearest(float x) const {
    const auto above = std::upper_bound(thresholds.begin(), thresholds.end(), x);
    return static_cast<std::uint8_t>(above - thresholds.begin());
  }

  std::vector<std::int16_t> levels;
  std::vector<float> thresholds;
  float step;
};

class WaterFilling final : public LevelCode {
 public:
  WaterFilling(std::size_t dim, std::size_t bits, Allot allot)
      : WaterFilling(dim, bits, allot, equal_components(dim, bits, allot)) {}

  WaterFilling(std::size_t dim, std::size_t bits, Allot allot, std::span<const std::uint8_t> state)
      : WaterFilling(dim, bits, allot, from_state(state, dim)) {
    trained_ = true;
    if (radix_.bits() > bits) throw std::invalid_argument("state of a wf quantizer of more bits");
  }

  std::size_t code_bytes() const override { return stream_bytes(radix_.bits()); }
  std::size_t width() const override { return components_.counts.size(); }
  float unit() const override { return 1 / std::sqrt(static_cast<float>(dim())); }
  bool unbiased() const override { return !components_.weighted; }

  void choose(const float* x, std::uint8_t* code) const override {
    std::vector<std::uint8_t> indices(width());
    for (std::size_t i = 0; i < width(); ++i) {
      const float component = kernels().dot(components_.analysis.row(i), x, dim());
      indices[i] = tables_[i]->nearest(component);
    }
    radix_.pack(indices.data(), code);
  }

  void levels(const std::uint8_t* code, std::int16_t* levels) const override {
    std::vector<std::uint8_t> indices(width());
    radix_.unpack(code, indices.data());
    for (std::size_t i = 0; i < width(); ++i) levels[i] = tables_[i]->levels[indices[i]];
  }

  void project(const float* q, float* out) const override {
    for (std::size_t i = 0; i < width(); ++i) {
      out[i] = tables_[i]->step * kernels().dot(components_.synthesis.row(i), q, dim());
    }
  }

  void project_back(const float* y, float* x) const override {
    std::fill_n(x, dim(), 0.0F);
    for (std::size_t i = 0; i < width(); ++i) {
      const float scale = y[i] * tables_[i]->step;
      const float* row = components_.synthesis.row(i);
      for (std::size_t j = 0; j < dim(); ++j) x[j] += scale * row[j];
    }
  }

  bool learns() const override { return true; }

  std::unique_ptr<const LevelCode> train(const TrainingData& data) const override {
    const Components components = learn_components(data, bits_, allot_);
    if (components.counts.empty()) {  // nothing but zero vectors
      return std::make_unique<WaterFilling>(dim(), bits_, allot_);
    }
    return std::make_unique<WaterFilling>(dim(), bits_, allot_, to_state(components));
  }

  std::vector<std::uint8_t> state() const override {
    return trained_ ? to_state(components_) : std::vector<std::uint8_t>();
  }

 private:
  WaterFilling(std::size_t dim, std::size_t bits, Allot allot, Components components)
      : LevelCode(dim),
        bits_(bits),
        allot_(allot),
        components_(std::move(components)),
        radix_(components_.counts) {
    for (const std::size_t count : components_.counts) {
      tables_.push_back(&books_.try_emplace(count, count).first->second);
    }
  }

  std::size_t bits_;  // of a code, at most
  Allot allot_;
  bool trained_ = false;
  Components components_;
  MixedRadix radix_;
  std::map<std::size_t, LevelTable> books_;  // by number of levels
  std::vector<const LevelTable*> tables_;    // of each component
};

}  // namespace

QuantizerPtr make_wf(const QuantizerRequest& request) {
  const Allot allot = request.has("fractional") ? allot_levels : allot_whole_bits;
  const std::size_t bits = request.count() * request.dim;
  auto code = request.state.empty()
                  ? std::make_unique<WaterFilling>(request.dim, bits, allot)
                  : std::make_unique<WaterFilling>(request.dim, bits, allot, request.state);
  return make_level_quantizer(request, request.number, std::move(code));
}

}  // namespace obliq
