// tq2.5, tq3.5: TurboQuant_mse with outlier channels (arXiv 2504.19874, section 4.3). Channels,
// coordinates of the user's space, are split in two parts with their own rotation, norm and levels:
//
//     x^ = R (sum over parts p of |x_p| R_p^T y_p)     R = make_rotation(dim, seed), undone first
//     tq2.5: (dim + 1) / 4 outliers at 3 bits, the others at 2    tq3.5: dim / 2 at 4, others at 3
//
// The paper counts its 32 channels at 3 bits and 96 at 2 as 2.5 bits; they are 2.25. It states no
// split for 3.5 bits and no rule that finds outliers: trained, the channels with the largest mean
// square; untrained, the first. If they hold a share f of the energy, D = f D_out + (1 - f) D_rest.
//
// code:     [scalar code of the others] [scalar code of the outliers]
// factors:  |x_others|, |x_outliers|           a part without channels is left out of both
// state:    a bit per channel, 1 for outliers, bit i%8 of byte i/8; untrained nothing
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "core/kernels/dispatch.h"
#include "core/random.h"
#include "obliq/rotation.h"
#include "quant/codebook.h"
#include "quant/families.h"
#include "quant/scalar_code.h"

namespace obliq {
namespace {

// Keeps the draws of the parts' rotations apart from those of the index's own and each other's.
constexpr std::uint64_t kPartStream = 0x506172744F66ULL;

using Bitmap = std::vector<std::uint8_t>;

bool has_channel(const Bitmap& bitmap, std::size_t channel) {
  return (bitmap[channel / 8] >> (channel % 8) & 1U) != 0;
}

std::size_t outlier_count(double bits, std::size_t dim) {
  return bits == 2.5 ? (dim + 1) / 4 : dim / 2;
}

// The first of `order`.
Bitmap bitmap_of(const std::vector<std::size_t>& order, std::size_t count) {
  Bitmap bitmap((order.size() + 7) / 8);
  for (std::size_t i = 0; i < count; ++i) {
    std::uint8_t& byte = bitmap[order[i] / 8];
    byte = static_cast<std::uint8_t>(byte | 1U << (order[i] % 8));
  }
  return bitmap;
}

// The outliers that a request's state names, or the first channels.
Bitmap requested_bitmap(const QuantizerRequest& request) {
  const std::size_t count = outlier_count(request.number, request.dim);
  if (request.state.empty()) {
    std::vector<std::size_t> order(request.dim);
    std::iota(order.begin(), order.end(), std::size_t{0});
    return bitmap_of(order, count);
  }
  Bitmap bitmap(request.state.begin(), request.state.end());
  std::size_t ones = 0;
  for (const std::uint8_t byte : bitmap) ones += static_cast<std::size_t>(std::popcount(byte));
  const bool fits = bitmap.size() == (request.dim + 7) / 8 &&
                    (request.dim % 8 == 0 || bitmap.back() >> (request.dim % 8) == 0);
  if (fits && ones == count) return bitmap;
  throw std::invalid_argument(
      fmt::format("the state of '{}' at dim {} must be a bitmap of {} outlier channels, not {} "
                  "bytes with {} ones",
                  request.spec, request.dim, count, bitmap.size(), ones));
}

// TurboQuant_mse on some of the channels.
class Part {
 public:
  Part(std::vector<std::size_t> channels, std::size_t bits, std::uint64_t seed)
      : channels_(std::move(channels)),
        rotation_(make_rotation(channels_.size(), seed)),
        code_(channels_.size(), coordinate_codebook(bits, channels_.size())) {}

  std::size_t dim() const { return channels_.size(); }
  const ScalarCode& code() const { return code_; }

  /// The part's own coordinates of a vector of channels.
  std::vector<float> project(const std::vector<float>& all) const {
    std::vector<float> own(dim());
    for (std::size_t i = 0; i < dim(); ++i) own[i] = all[channels_[i]];
    rotation_->apply(own.data());
    return own;
  }

  /// Writes the part's channels of the vector that `code` and its norm stand for.
  void decode(const std::uint8_t* code, float norm, float* all) const {
    std::vector<float> own(dim());
    code_.decode(code, norm * code_.step(), own.data());
    rotation_->apply_inverse(own.data());
    for (std::size_t i = 0; i < dim(); ++i) all[channels_[i]] = own[i];
  }

 private:
  std::vector<std::size_t> channels_;
  std::unique_ptr<const Rotation> rotation_;
  ScalarCode code_;
};

// What the quantizer and its scorers share.
struct Split {
  std::unique_ptr<const Rotation> rotation;  // the index's
  std::vector<Part> parts;

  /// R^T x.
  std::vector<float> channels(const float* x) const {
    std::vector<float> all(x, x + rotation->dim());
    rotation->apply_inverse(all.data());
    return all;
  }
};

class SplitScorer final : public Scorer {
 public:
  /// `split` must outlive the scorer.
  explicit SplitScorer(const Split& split) : split_(split), steps_(split.parts.size()) {
    for (const Part& part : split.parts) queries_.emplace_back(part.dim(), ScalarCode::kMaxLevel);
  }

  void set_query(const float* query) override {
    const std::vector<float> channels = split_.channels(query);
    for (std::size_t p = 0; p < steps_.size(); ++p) {
      queries_[p].set(split_.parts[p].project(channels).data());
      steps_[p] = queries_[p].step() * split_.parts[p].code().step();
    }
  }

  void products(std::span<const CodeRef> codes, float* out) const override {
    for (std::size_t i = 0; i < codes.size(); ++i) {
      const std::uint8_t* code = codes[i].rest;
      out[i] = 0;
      for (std::size_t p = 0; p < steps_.size(); ++p) {
        const ScalarCode& scalar = split_.parts[p].code();
        const std::int32_t sum =
            scalar.product(code, code + plane_bytes(scalar.dim()), queries_[p]);
        out[i] += codes[i].factors[p] * (static_cast<float>(sum) * steps_[p]);
        code += scalar.code_bytes();
      }
    }
  }

 private:
  const Split& split_;
  std::vector<IntegerQuery> queries_;  // one a part
  std::vector<float> steps_;
};

class TqSplit final : public Quantizer {
 public:
  explicit TqSplit(const QuantizerRequest& request)
      : TqSplit(request, requested_bitmap(request), !request.state.empty()) {}

  TqSplit(const QuantizerRequest& request, Bitmap outliers, bool trained)
      : request_(request), outliers_(std::move(outliers)), trained_(trained) {
    split_.rotation = make_rotation(dim(), request.seed);
    std::vector<std::size_t> channels[2];
    for (std::size_t i = 0; i < dim(); ++i) channels[has_channel(outliers_, i)].push_back(i);
    std::uint64_t draw = request.seed ^ kPartStream;
    for (std::size_t p = 0; p < 2; ++p) {
      const std::uint64_t seed = splitmix64(draw);
      if (channels[p].empty()) continue;
      split_.parts.emplace_back(std::move(channels[p]), request.count() + p, seed);
    }
    request_.state = {};
  }

  std::string spec() const override { return request_.spec; }
  std::size_t dim() const override { return request_.dim; }
  double bits() const override {
    const double extra =
        static_cast<double>(outlier_count(request_.number, dim())) / static_cast<double>(dim());
    return static_cast<double>(request_.count()) + extra;
  }
  CodeLayout layout() const override {
    CodeLayout layout{0, split_.parts.size(), false};
    for (const Part& part : split_.parts) layout.code_bytes += part.code().code_bytes();
    return layout;
  }

  void encode(const float* x, std::uint8_t* code, Factors& factors) const override {
    factors = {};
    const SafeVector safe(x, dim(), kernels());
    const std::vector<float> channels = split_.channels(safe.data());
    for (std::size_t p = 0; p < split_.parts.size(); ++p) {
      const ScalarCode& scalar = split_.parts[p].code();
      const std::vector<float> own = split_.parts[p].project(channels);
      const float norm = std::sqrt(kernels().dot(own.data(), own.data(), own.size()));
      std::vector<std::uint8_t> indices(own.size());
      scalar.encode(own.data(), scalar.input_scale(norm), indices, code);
      factors[p] = safe.original(norm);
      code += scalar.code_bytes();
    }
  }

  void decode(const std::uint8_t* code, const Factors& factors, float* x) const override {
    for (std::size_t p = 0; p < split_.parts.size(); ++p) {
      split_.parts[p].decode(code, factors[p], x);
      code += split_.parts[p].code().code_bytes();
    }
    split_.rotation->apply(x);
  }

  std::unique_ptr<Scorer> make_scorer() const override {
    return std::make_unique<SplitScorer>(split_);
  }

  bool learns() const override { return true; }

  QuantizerPtr train(const TrainingData& data) const override {
    std::vector<double> energy(dim());
    for (std::size_t n = 0; n < data.vectors.rows; ++n) {
      const std::vector<float> channels = split_.channels(data.vectors.row(n));
      for (std::size_t i = 0; i < dim(); ++i) energy[i] += double{channels[i]} * channels[i];
    }
    std::vector<std::size_t> order(dim());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return energy[a] > energy[b]; });
    Bitmap outliers = bitmap_of(order, outlier_count(request_.number, dim()));
    return std::make_unique<TqSplit>(request_, std::move(outliers), true);
  }

  std::vector<std::uint8_t> state() const override { return trained_ ? outliers_ : Bitmap(); }

 private:
  QuantizerRequest request_;  // without its state
  Bitmap outliers_;
  bool trained_;
  Split split_;
};

}  // namespace

QuantizerPtr make_tq_split(const QuantizerRequest& request) {
  return std::make_unique<TqSplit>(request);
}

}  // namespace obliq
