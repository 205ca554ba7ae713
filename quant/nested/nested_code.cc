// One class for all lattices. A block is tried at every scale; each attempt is decoded, which tells
// its error and whether it overloads: whether the codeword is the lattice point that was found.
// Then the block is drawn towards 0, in steps of 5 %, for the largest scale that overloads.
#include "quant/nested/nested_code.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "core/kernels/dispatch.h"
#include "quant/bit_stream.h"
#include "quant/nested/lattice.h"

namespace obliq {
namespace {

constexpr float kEighths = 8;

// The dither, in halves of the lattice's integers: among random ones, those of the least error at
// q = 2 and 3. For the cube of even q it makes the codewords symmetric.
constexpr std::int32_t kDither[][8] = {
    {0, 0, 0, 1, -1, 1, 1, -3},  // E8
    {0, 1, 1, 1, 0, 0, 0, 0},    // D4
    {1, 1, 1, 1, 1, 1, 1, 1},    // Z8
};

template <class L>
class Nested final : public NestedCode {
 public:
  static constexpr std::size_t kDim = L::kDim;

  Nested(const NestedOptions& options, std::size_t dim)
      : NestedCode(dim),
        options_(options),
        q_(static_cast<std::int32_t>(options.q)),
        grain_(options.dither ? 2 : 1),
        scales_(nested_scales(options)),
        step_(1 / (kEighths * static_cast<float>(q_ * L::kUnits))),
        scale_bits_(static_cast<unsigned>(std::bit_width(options.scales - 1))),
        shape_(e8_shape(static_cast<std::uint32_t>(options.q), scale_bits_, scales_.data(),
                        scales_.size())) {
    std::uint64_t labels = 1;
    for (std::size_t i = 0; i < kDim; ++i) {
      labels *= options.q;
      if (options.dither) dither_[i] = kDither[static_cast<std::size_t>(options.lattice)][i];
    }
    index_bits_ = static_cast<unsigned>(std::bit_width(labels - 1));
  }

  const NestedOptions& options() const override { return options_; }
  std::size_t block() const override { return kDim; }
  double stored_bits() const override {
    return static_cast<double>(index_bits_ + scale_bits_) / static_cast<double>(kDim);
  }
  std::size_t code_bytes() const override {
    return index_bytes() + stream_bytes(blocks() * scale_bits_);
  }
  float unit() const override { return step_ / std::sqrt(static_cast<float>(dim())); }

  void choose(const float* x, std::uint8_t* code) const override {
    std::fill_n(code, code_bytes(), std::uint8_t{0});
    for (std::size_t b = 0; b < blocks(); ++b) {
      float target[kDim] = {};
      std::copy_n(x + b * kDim, count(b), target);
      std::int16_t levels[kDim];
      choose_block(b, target, code, levels);
    }
  }

  void levels(const std::uint8_t* code, std::int16_t* levels) const override {
    for (std::size_t b = 0; b < blocks(); ++b) {
      std::uint32_t index = read_bits(code, b * index_bits_, index_bits_);
      std::uint8_t label[kDim];
      for (std::uint8_t& digit : label) {
        digit = static_cast<std::uint8_t>(index % options_.q);
        index /= static_cast<std::uint32_t>(q_);
      }
      std::int32_t f[kDim];
      codeword(label, f);
      const std::int16_t scale = scales_[this->scale(code, b)];
      for (std::size_t i = 0; i < count(b); ++i) {
        levels[b * kDim + i] = static_cast<std::int16_t>(scale * f[i]);
      }
    }
  }

  std::int32_t product(const std::uint8_t* code, const IntegerQuery& query,
                       std::span<std::int16_t> scratch) const override {
    if (!std::is_same_v<L, E8> || options_.dither) return LevelCode::product(code, query, scratch);
    return kernels().dot_e8(code, shape_, query.values(), dim());
  }

  std::size_t scale(const std::uint8_t* code, std::size_t b) const override {
    const std::size_t scale = read_bits(code + index_bytes(), b * scale_bits_, scale_bits_);
    return std::min(scale, scales_.size() - 1);
  }

  void choose_block(std::size_t b, const float* target, std::uint8_t* code,
                    std::int16_t* levels) const override {
    const Candidate best = choose_candidate(target, count(b));
    std::uint32_t index = 0;
    for (std::size_t i = kDim; i-- > 0;) {
      index = index * static_cast<std::uint32_t>(q_) + best.label[i];
    }
    write_bits(code, b * index_bits_, index_bits_, index);
    write_bits(code + index_bytes(), b * scale_bits_, scale_bits_,
               static_cast<std::uint32_t>(best.scale));
    for (std::size_t i = 0; i < kDim; ++i) {
      levels[i] = static_cast<std::int16_t>(scales_[best.scale] * best.f[i]);
    }
  }

 private:
  struct Candidate {
    std::size_t scale;
    std::uint8_t label[kDim];
    std::int32_t f[kDim];  // in 1/grain_ of the lattice's integers
    bool overloads;
    float error;  // |target - x^|^2
  };

  std::size_t index_bytes() const { return stream_bytes(blocks() * index_bits_); }
  std::size_t count(std::size_t b) const { return std::min(kDim, dim() - b * kDim); }

  void codeword(const std::uint8_t* label, std::int32_t* f) const {
    std::int32_t y[kDim];
    L::coset(label, q_, y);
    for (std::size_t i = 0; i < kDim; ++i) y[i] = grain_ * y[i] - dither_[i];
    L::reduce(y, grain_ * q_, f);
  }

  // The code of `drawn` * target at a scale; its error is that to target.
  Candidate attempt(const float* target, std::size_t count, std::size_t scale, float drawn) const {
    const float step = step_ * static_cast<float>(scales_[scale]);
    const auto grain = static_cast<float>(grain_);
    float y[kDim];
    for (std::size_t i = 0; i < kDim; ++i) {
      y[i] = (target[i] * drawn / step + static_cast<float>(dither_[i])) / grain;
    }
    float rest[kDim];
    L::reduce(y, 1.0F, rest);
    std::int32_t t[kDim];
    for (std::size_t i = 0; i < kDim; ++i) {
      const float point = y[i] - rest[i];  // an integer but for rounding
      t[i] = static_cast<std::int32_t>(point + (point < 0 ? -0.5F : 0.5F));
    }
    Candidate candidate{scale, {}, {}, false, 0};
    L::label(t, q_, candidate.label);
    codeword(candidate.label, candidate.f);
    for (std::size_t i = 0; i < kDim; ++i) {
      candidate.overloads |= candidate.f[i] != grain_ * t[i] - dither_[i];
    }
    for (std::size_t i = 0; i < count; ++i) {
      const float difference = target[i] - step * static_cast<float>(candidate.f[i]);
      candidate.error += difference * difference;
    }
    return candidate;
  }

  Candidate choose_candidate(const float* target, std::size_t count) const {
    Candidate best{};
    std::size_t overloading = scales_.size();  // the largest scale that overloads, if one does
    for (std::size_t p = 0; p < scales_.size(); ++p) {
      const Candidate candidate = attempt(target, count, p, 1);
      if (options_.choice == ScaleChoice::first && !candidate.overloads) return candidate;
      if (candidate.overloads) overloading = p;
      if (p == 0 || candidate.error < best.error || options_.choice == ScaleChoice::first) {
        best = candidate;
      }
    }
    if (options_.choice != ScaleChoice::drawn || overloading == scales_.size()) return best;
    constexpr float kStep = 0.95F;
    constexpr float kEnd = 1e-4F;  // at dims beyond 10^8 a block could lie farther out
    for (float drawn = kStep; drawn > kEnd; drawn *= kStep) {
      const Candidate candidate = attempt(target, count, overloading, drawn);
      if (candidate.error < best.error) best = candidate;
      if (!candidate.overloads) break;
    }
    return best;
  }

  NestedOptions options_;
  std::int32_t q_;
  std::int32_t grain_;
  std::vector<std::int16_t> scales_;
  float step_;  // of a level
  unsigned scale_bits_;
  E8Shape shape_;  // for the kernel
  unsigned index_bits_ = 0;
  std::int32_t dither_[kDim] = {};
};

}  // namespace

std::unique_ptr<const NestedCode> make_nested_code(const NestedOptions& options, std::size_t dim) {
  switch (options.lattice) {
    case NestedLattice::e8:
      return std::make_unique<Nested<E8>>(options, dim);
    case NestedLattice::d4:
      return std::make_unique<Nested<D4>>(options, dim);
    case NestedLattice::z8:
      break;
  }
  return std::make_unique<Nested<Z8>>(options, dim);
}

double fixed_bits(const NestedCode& code) {
  const NestedOptions& options = code.options();
  return std::log2(static_cast<double>(options.q)) +
         std::log2(static_cast<double>(options.scales)) / static_cast<double>(code.block());
}

double scale_entropy(const NestedCode& code, std::span<const std::uint8_t> codes) {
  std::vector<double> counts(code.options().scales);
  double total = 0;
  for (std::size_t at = 0; at + code.code_bytes() <= codes.size(); at += code.code_bytes()) {
    for (std::size_t b = 0; b < code.blocks(); ++b) {
      ++counts[code.scale(codes.data() + at, b)];
      ++total;
    }
  }
  double entropy = 0;
  for (const double count : counts) {
    if (count > 0) entropy -= count / total * std::log2(count / total);
  }
  return entropy;
}

}  // namespace obliq
