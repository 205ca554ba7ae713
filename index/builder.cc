#include "index/builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>

#include "index/centroid_code.h"
#include "index/coder.h"
#include "index/kmeans.h"
#include "index/list_writer.h"
#include "index/raw_tier.h"
#include "index/router.h"
#include "index/spill.h"
#include "index/training.h"
#include "index/typical_rows.h"
#include "quant/kernels/dispatch.h"
#include "quant/parallel.h"
#include "quant/random.h"

namespace obliq {
namespace {

constexpr std::size_t kChunkFloats = std::size_t{1} << 22;  // of the base read at a time
constexpr std::size_t kMaxDim = 65536;
constexpr float kListWeight = 0.5F;  // w of the list order, router.h

/// The bytes behind the spans of a built segment.
struct Buffers {
  std::vector<float> mean;
  CodedCentroids centroids;
  std::vector<ListRecord> lists;
  std::vector<std::uint8_t> quantizer_state, blocks, rows, router_blocks, raw;
  std::vector<std::int64_t> ids;
};

class Builder {
 public:
  Builder(const VectorSource& base, const BuildOptions& options)
      : base_(base),
        options_(options),
        n_(base.rows()),
        dim_(base.dim()),
        buffers_(std::make_shared<Buffers>()) {}

  Segment build();

 private:
  void check() const;
  void start();
  std::size_t chunk_rows() const { return std::clamp<std::size_t>(kChunkFloats / dim_, 1, n_); }
  Matrix<float> sample(std::size_t count) const;
  void train();
  double find_centroids(const Matrix<float>& rows);
  void code_centroids(double mean_r2);
  void train_quantizer(MatrixView<float> rows, MatrixView<float> centroids);
  void subtract_mean(Matrix<float>& rows) const;
  void code_base();
  void code_chunk(MatrixView<float> original, std::size_t first);
  void choose_chunk(MatrixView<float> entered, std::size_t first);
  void choose_spilled();
  void correct_zeros(MatrixView<float> original, std::size_t first);
  void lay_lists();
  void finish_info();
  void publish();

  const VectorSource& base_;
  const BuildOptions& options_;
  const std::size_t n_;
  const std::size_t dim_;
  std::shared_ptr<Buffers> buffers_;
  Segment segment_;
  Matrix<float> centroids_;          // as decoded, behind the door
  CodedEntries entries_;             // until the lists are laid
  std::vector<ListChoice> choices_;  // one a vector where vectors are spilled
  double norm2_sum_ = 0;
};

void Builder::check() const {
  if (dim_ == 0 || dim_ > kMaxDim) {
    throw std::invalid_argument(fmt::format("dim must be 1 to {}, not {}", kMaxDim, dim_));
  }
  if (n_ >= std::numeric_limits<std::uint32_t>::max()) {
    throw std::invalid_argument(fmt::format("{} vectors are too many for one index", n_));
  }
  const auto& centroids = options_.centroids;
  if (centroids.rows > 0 && centroids.cols != dim_) {
    throw std::invalid_argument(
        fmt::format("centroids have dim {}, the base has {}", centroids.cols, dim_));
  }
  require_finite(centroids, "centroid");
  const auto& queries = options_.train_queries;
  if (queries.rows > 0 && queries.cols != dim_) {
    throw std::invalid_argument(
        fmt::format("train_queries have dim {}, the base has {}", queries.cols, dim_));
  }
  require_finite(queries, "training query");
  const auto& ids = options_.ids;
  if (ids.rows > 0 && (ids.rows != n_ || ids.cols != 1)) {
    throw std::invalid_argument(
        fmt::format("ids are {} x {}, expected {} x 1", ids.rows, ids.cols, n_));
  }
  if (!(options_.spill >= 0 && options_.spill <= 1)) {
    throw std::invalid_argument(
        fmt::format("spill must be a share of the vectors, 0 to 1, not {}", options_.spill));
  }
  if (options_.quantizer.size() >= sizeof SegmentInfo::quantizer) {
    throw std::invalid_argument("quantizer spec '" + options_.quantizer + "' is too long");
  }
  if (options_.kmeans_iterations < 0 || options_.kmeans_points == 0) {
    throw std::invalid_argument("kmeans_iterations must be 0 or more and kmeans_points 1 or more");
  }
}

void Builder::start() {
  SegmentInfo& info = segment_.info;
  info.n = n_;
  info.dim = dim_;
  info.seed = options_.seed;
  info.metric = static_cast<std::uint32_t>(options_.metric);
  info.raw = static_cast<std::uint32_t>(options_.raw);
  info.list_weight = kListWeight;
  info.nlist = options_.nlist == 0 ? choose_nlist(n_) : std::min(options_.nlist, n_);
  if (options_.centroids.rows > 0) info.nlist = options_.centroids.rows;
  if (n_ == 0) info.nlist = 0;
  if (info.nlist > 1)
    segment_.spilled = static_cast<std::uint64_t>(options_.spill * static_cast<double>(n_));
  const auto quantizer = make_quantizer(options_.quantizer, dim_, options_.seed);
  const std::string spec = quantizer->spec();
  if (options_.train_queries.rows > 0 && !quantizer->learns()) {
    throw std::invalid_argument(fmt::format(
        "quantizer '{}' learns nothing from training queries; leave them out, or take one with "
        "':query'",
        spec));
  }
  std::copy_n(spec.data(), std::min(spec.size(), sizeof info.quantizer - 1), info.quantizer);
  buffers_->mean.assign(dim_, 0.0F);
  segment_.mean = buffers_->mean;
  complete(segment_);
}

// `count` rows spread evenly over the base with a seeded jitter, behind the door. Reads the base
// once, in order.
Matrix<float> Builder::sample(std::size_t count) const {
  Random random(options_.seed);
  Matrix<float> rows(count, dim_);
  const std::size_t chunk = chunk_rows();
  Matrix<float> read(chunk, dim_);
  std::size_t taken = 0;
  for (std::size_t first = 0; first < n_; first += chunk) {
    const std::size_t size = std::min(chunk, n_ - first);
    report(options_.progress, "sample", static_cast<double>(first) / static_cast<double>(n_));
    base_.read(first, size, read.values.data());
    require_finite({read.values.data(), size, dim_}, "base vector", first);
    for (; taken < count && taken * n_ / count < first + size; ++taken) {
      const std::size_t begin = std::max(taken * n_ / count, first);
      const std::size_t end = std::min((taken + 1) * n_ / count, first + size);
      const std::size_t pick = begin + random.below(std::max(end, begin + 1) - begin);
      std::copy_n(read.row(pick - first), dim_, rows.row(taken));
    }
  }
  parallel_for(count, 256, options_.threads, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t i = begin; i < end; ++i) segment_.door->enter(rows.row(i));
  });
  return rows;
}

// The mean of the typical rows: a few vectors far away must not pull the origin from the rest,
// which sets the precision of queries.
std::vector<float> robust_mean(const Matrix<float>& rows) {
  const std::vector<std::size_t> typical = typical_rows(rows.view());
  std::vector<double> sum(rows.cols);
  for (const std::size_t i : typical) {
    for (std::size_t j = 0; j < rows.cols; ++j) sum[j] += rows.row(i)[j];
  }
  std::vector<float> mean(rows.cols);
  for (std::size_t j = 0; j < rows.cols; ++j) {
    mean[j] = static_cast<float>(sum[j] / static_cast<double>(typical.size()));
  }
  return mean;
}

// Sets the mean and the centroids.
void Builder::train() {
  const bool given = options_.centroids.rows > 0;
  const std::size_t points = given ? 4096 : options_.kmeans_points * segment_.info.nlist;
  Matrix<float> rows = sample(std::min(n_, points));
  if (options_.metric != Metric::ip) buffers_->mean = robust_mean(rows);
  segment_.mean = buffers_->mean;
  complete(segment_);

  const double mean_r2 = find_centroids(rows);
  subtract_mean(centroids_);
  code_centroids(mean_r2);
  if (segment_.quantizer->learns()) {
    subtract_mean(rows);
    train_quantizer(rows.view(), centroids_.view());
  }
}

// Sets centroids_, the mean not yet taken off, as in `rows`. Returns the rows' mean squared
// distance from them.
double Builder::find_centroids(const Matrix<float>& rows) {
  const MatrixView<float> given = options_.centroids;
  if (given.rows == 0) {
    KMeansResult found = kmeans(rows.view(), {segment_.info.nlist, options_.kmeans_iterations,
                                              options_.seed, options_.threads, options_.progress});
    centroids_ = std::move(found.centroids);
    if (!found.objectives.empty()) return found.objectives.back();
  } else {
    centroids_ = Matrix<float>(given.rows, dim_);
    std::copy_n(given.data, given.size(), centroids_.values.data());
    const auto rotation = make_rotation(dim_, options_.seed);
    for (std::size_t l = 0; l < given.rows; ++l) rotation->apply(centroids_.row(l));
  }
  std::vector<std::uint32_t> lists(rows.rows);
  std::vector<float> distances(rows.rows);
  assign_nearest(rows.view(), centroids_.view(), options_.threads, lists.data(), distances.data());
  return std::accumulate(distances.begin(), distances.end(), 0.0) / static_cast<double>(rows.rows);
}

// From here on the centroids are what their codes say.
void Builder::code_centroids(double mean_r2) {
  buffers_->lists.resize(centroids_.rows);
  buffers_->centroids = obliq::code_centroids(centroids_.view(), mean_r2, buffers_->lists);
  segment_.lists = buffers_->lists;
  segment_.centroid_levels = buffers_->centroids.levels;
  segment_.centroid_fine = buffers_->centroids.fine;
  for (std::size_t l = 0; l < centroids_.rows; ++l) {
    decode_centroid(segment_, l, centroids_.row(l));
  }
}

void Builder::subtract_mean(Matrix<float>& rows) const {
  for (std::size_t i = 0; i < rows.rows; ++i) {
    for (std::size_t j = 0; j < dim_; ++j) rows.row(i)[j] -= buffers_->mean[j];
  }
}

// Requires rows and centroids behind the door.
void Builder::train_quantizer(MatrixView<float> rows, MatrixView<float> centroids) {
  report(options_.progress, "train quantizer", 0);
  const TrainingSample sample =
      training_sample(*segment_.door, rows, options_.train_queries, centroids, options_.threads);
  segment_.quantizer =
      segment_.quantizer->train({sample.residuals.view(), sample.queries.view(), options_.threads});
  buffers_->quantizer_state = segment_.quantizer->state();
  segment_.quantizer_state = buffers_->quantizer_state;
}

void Builder::code_base() {
  const std::size_t most = segment_.spilled > 0 ? 2 * n_ : n_;
  entries_.lists.resize(most, kNoList);
  entries_.numbers.resize(most);
  entries_.signs.resize(most * plane_bytes(dim_));
  choices_.resize(most - n_);
  buffers_->rows.resize(n_ * segment_.row_shape.bytes());
  buffers_->raw.resize(n_ * raw_bytes(options_.raw, dim_));
  const std::size_t chunk = chunk_rows();
  Matrix<float> vectors(chunk, dim_);
  for (std::size_t first = 0; first < n_; first += chunk) {
    const std::size_t count = std::min(chunk, n_ - first);
    report(options_.progress, "encode", static_cast<double>(first) / static_cast<double>(n_));
    base_.read(first, count, vectors.values.data());
    const MatrixView<float> view{vectors.values.data(), count, dim_};
    require_finite(view, "base vector", first);
    code_chunk(view, first);
  }
}

// The lists of the entries of a chunk.
void Builder::choose_chunk(MatrixView<float> entered, std::size_t first) {
  std::uint32_t* homes = entries_.lists.data() + first;
  if (choices_.empty()) {
    assign_nearest(entered, centroids_.view(), options_.threads, homes, nullptr);
    return;
  }
  ListChoice* choices = choices_.data() + first;
  choose_lists(entered, centroids_.view(), options_.threads, choices);
  for (std::size_t i = 0; i < entered.rows; ++i) {
    homes[i] = choices[i].home;
    homes[n_ + i] = choices[i].second;
  }
}

// Of the second entries, which all vectors have so far, keeps the share asked for.
void Builder::choose_spilled() {
  if (choices_.empty()) return;
  segment_.spilled = keep_cheapest(choices_, segment_.spilled);
  for (std::size_t row = 0; row < n_; ++row) entries_.lists[n_ + row] = choices_[row].second;
}

void Builder::code_chunk(MatrixView<float> original, std::size_t first) {
  for (std::size_t i = 0; i < original.rows; ++i) {
    norm2_sum_ += kernels().dot(original.row(i), original.row(i), dim_);
  }
  Matrix<float> entered(original.rows, dim_);
  parallel_for(original.rows, 64, options_.threads, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t i = begin; i < end; ++i) {
      std::copy_n(original.row(i), dim_, entered.row(i));
      segment_.door->enter(entered.row(i));
    }
  });
  choose_chunk(entered.view(), first);
  const std::size_t bytes = segment_.row_shape.bytes();
  parallel_for(original.rows, 256, options_.threads, [&](std::size_t begin, std::size_t end, int) {
    Coder coder(*segment_.quantizer, options_.metric);
    for (std::size_t i = begin; i < end; ++i) {
      const std::size_t row = first + i;
      coder.add({entered.row(i), centroids_.row(entries_.lists[row]),
                 entries_.signs.data() + row * plane_bytes(dim_),
                 buffers_->rows.data() + row * bytes, &entries_.numbers[row]});
      const std::size_t second = n_ + row;
      if (second >= entries_.lists.size() || entries_.lists[second] == kNoList) continue;
      coder.code_entry(entered.row(i), centroids_.row(entries_.lists[second]),
                       entries_.signs.data() + second * plane_bytes(dim_),
                       entries_.numbers[second]);
    }
    coder.flush();
  });
  if (options_.metric == Metric::cosine) correct_zeros(original, first);
  store_raw(original, options_.metric, options_.raw, first, buffers_->raw);
}

// 1 - |x|^2 of a normalised vector: 1 where it is zero (door.h).
void Builder::correct_zeros(MatrixView<float> original, std::size_t first) {
  for (std::size_t i = 0; i < original.rows; ++i) {
    const float* x = original.row(i);
    if (std::any_of(x, x + dim_, [](float value) { return value != 0; })) continue;
    for (std::size_t e = first + i; e < entries_.numbers.size(); e += n_) {
      entries_.numbers[e].a += 1;
      entries_.numbers[e].bracket += 1;
    }
  }
}

void Builder::lay_lists() {
  WrittenLists written = write_lists(segment_, entries_, buffers_->rows.data());
  buffers_->lists = std::move(written.lists);
  buffers_->blocks = std::move(written.blocks);
  segment_.lists = buffers_->lists;
  segment_.info.entries = buffers_->blocks.size() / block_bytes(dim_) * kBlockEntries;
}

void Builder::finish_info() {
  double sine2 = 0;
  double tangent2 = 0;
  for (const CodedNumbers& v : std::span(entries_.numbers).first(n_)) {
    sine2 += v.sine2;
    tangent2 += v.tangent2;
  }
  const double n = static_cast<double>(n_);
  segment_.info.sine = static_cast<float>(std::sqrt(sine2 / n));
  segment_.info.row_tangent = static_cast<float>(std::sqrt(tangent2 / n));
  const double norm = std::sqrt(norm2_sum_ / n);
  segment_.info.typical_norm = norm > 0 ? static_cast<float>(norm) : 1.0F;
}

void Builder::publish() {
  segment_.blocks = buffers_->blocks;
  segment_.rows = buffers_->rows;
  segment_.raw = buffers_->raw;
  segment_.router_blocks = buffers_->router_blocks;
  if (options_.ids.rows > 0) {
    buffers_->ids.assign(options_.ids.data, options_.ids.data + n_);
    segment_.ids = buffers_->ids;
  }
  segment_.owner = buffers_;
}

Segment Builder::build() {
  check();
  start();
  if (n_ > 0) {
    train();
    code_base();
    choose_spilled();
    lay_lists();
    finish_info();
    buffers_->router_blocks = sign_centroids(segment_, segment_.info.router);
  }
  publish();
  return std::move(segment_);
}

}  // namespace

Segment build_segment(const VectorSource& base, const BuildOptions& options) {
  return Builder(base, options).build();
}

std::size_t choose_nlist(std::size_t n) {
  const auto lists = static_cast<std::size_t>(4 * std::sqrt(static_cast<double>(n)));
  return std::clamp<std::size_t>(lists, 1, std::max<std::size_t>(n, 1));
}

}  // namespace obliq
