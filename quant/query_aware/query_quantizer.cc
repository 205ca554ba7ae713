#include "quant/query_aware/query_quantizer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "core/kernels/dispatch.h"
#include "quant/query_aware/query_metric.h"
#include "quant/scalar_code.h"

namespace obliq {
namespace {

constexpr std::size_t kL = kVectorLanes;

// Targets spread wider than x, by what is fed back, and the outermost levels are near.
constexpr float kFirstScale = 0.9F;

// The error along x counts for what it does to near neighbours: without it they come out too far
// and recall is lost. From two to sixteen mean eigenvalues at dim 384 recall is the same. As the
// share of x in a near query does not depend on dim, the weight grows with it.
QueryEncoderOptions encoder_options(std::size_t dim) {
  QueryEncoderOptions options;
  options.alignment = static_cast<float>(dim) / 64;
  options.scales = {kFirstScale};
  return options;
}

class QueryQuantizer final : public Quantizer {
 public:
  using MakeParts = QueryParts (*)(const QuantizerRequest&);

  QueryQuantizer(const QuantizerRequest& request, MakeParts make_parts,
                 std::optional<QueryMetric> metric)
      : request_(request),
        make_parts_(make_parts),
        parts_(make_parts(request)),
        metric_(std::move(metric)) {
    request_.state = {};
    if (metric_) encoder_.emplace(*metric_, *parts_.points, encoder_options(dim()));
  }

  std::string spec() const override { return request_.spec; }
  std::size_t dim() const override { return request_.dim; }
  double bits() const override { return parts_.plain->bits(); }
  CodeLayout layout() const override { return parts_.plain->layout(); }

  void encode(const float* x, std::uint8_t* code, Factors& factors) const override {
    encode_batch({x, 1, dim()}, code, &factors);
  }

  void encode_batch(MatrixView<float> x, std::uint8_t* codes, Factors* factors) const override {
    if (!encoder_) return parts_.plain->encode_batch(x, codes, factors);
    const std::size_t group = parts_.points->has_paths() ? 1 : kL;
    for (std::size_t first = 0; first < x.rows; first += group) {
      encode_group(x.slice(first, std::min(group, x.rows - first)),
                   codes + first * layout().code_bytes, factors + first);
    }
  }

  void decode(const std::uint8_t* code, const Factors& factors, float* x) const override {
    parts_.plain->decode(code, factors, x);
  }

  std::unique_ptr<Scorer> make_scorer() const override { return parts_.plain->make_scorer(); }

  bool learns() const override { return true; }

  QuantizerPtr train(const TrainingData& data) const override {
    return std::make_unique<QueryQuantizer>(
        request_, make_parts_, QueryMetric::learn(data, dim(), parts_.points->block()));
  }

  std::vector<std::uint8_t> encoder_state() const override {
    return metric_ ? metric_->state() : std::vector<std::uint8_t>();
  }

  QuantizerPtr with_encoder(std::span<const std::uint8_t> encoder_state) const override {
    return std::make_unique<QueryQuantizer>(
        request_, make_parts_, QueryMetric::restore(encoder_state, dim(), parts_.points->block()));
  }

  std::span<const float> mean_query() const override {
    return metric_ ? metric_->mean() : std::span<const float>();
  }

 private:
  // At most 16 rows; one where there are paths.
  void encode_group(MatrixView<float> rows, std::uint8_t* codes, Factors* factors) const {
    std::vector<float> lanes(metric_->dim() * kL);  // 0 beyond dim
    std::vector<SafeVector> safe;
    safe.reserve(rows.rows);
    for (std::size_t l = 0; l < rows.rows; ++l) {
      safe.emplace_back(rows.row(l), dim(), kernels());
      // To variance 1, then to the units of the levels; a zero vector stays zero.
      const float norm = std::sqrt(safe[l].norm2());
      const float root = std::sqrt(static_cast<float>(dim()));
      const float scale = norm > 0 ? root / norm / parts_.points->unit() : 0;
      for (std::size_t i = 0; i < dim(); ++i) lanes[kL * i + l] = safe[l].data()[i] * scale;
    }
    const LaneCodes best = parts_.points->has_paths() ? follow_paths(lanes)  //
                                                      : encoder_->encode(lanes.data());
    for (std::size_t l = 0; l < rows.rows; ++l) {
      std::uint8_t* code = codes + l * layout().code_bytes;
      if (best.loss[l] == std::numeric_limits<float>::infinity()) {
        parts_.plain->encode(rows.row(l), code, factors[l]);
        continue;
      }
      write(best, l, code);
      factors[l] = {safe[l].original(double{best.factor[l]} * std::sqrt(safe[l].norm2()))};
    }
  }

  // Lane 0 alone: all lanes become copies of it, each with a path of its own. The best of them
  // becomes lane 0.
  LaneCodes follow_paths(std::vector<float>& lanes) const {
    const std::size_t n = metric_->dim();
    std::vector<float> x(n);
    for (std::size_t i = 0; i < n; ++i) {
      x[i] = lanes[kL * i];
      std::fill_n(lanes.data() + kL * i, kL, x[i]);
    }
    LaneCodes best(n);
    encoder_->refine(lanes.data(), kFirstScale,
                     parts_.points->paths(*metric_, x.data(), kFirstScale), best);
    const auto lane =
        static_cast<std::size_t>(std::min_element(best.loss, best.loss + kL) - best.loss);
    best.loss[0] = best.loss[lane];
    best.factor[0] = best.factor[lane];
    for (std::size_t i = 0; i < n; ++i) best.levels[kL * i] = best.levels[kL * i + lane];
    return best;
  }

  void write(const LaneCodes& best, std::size_t lane, std::uint8_t* code) const {
    std::vector<float> levels(metric_->dim());
    for (std::size_t i = 0; i < levels.size(); ++i) levels[i] = best.levels[kL * i + lane];
    parts_.points->write(levels.data(), code);
  }

  QuantizerRequest request_;
  MakeParts make_parts_;
  QueryParts parts_;
  std::optional<QueryMetric> metric_;
  std::optional<QueryEncoder> encoder_;  // refers to metric and points
};

}  // namespace

QuantizerPtr make_query_quantizer(const QuantizerRequest& request,
                                  QueryParts (*make_parts)(const QuantizerRequest&)) {
  return std::make_unique<QueryQuantizer>(request, make_parts, std::nullopt);
}

}  // namespace obliq
