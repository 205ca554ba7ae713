#include "index/build/builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>
#include <stdexcept>

#include "core/kernels/kernels.h"
#include "core/parallel.h"
#include "core/random.h"
#include "index/build/base_encoder.h"
#include "index/build/build_check.h"
#include "index/build/kmeans.h"
#include "index/build/list_groups.h"
#include "index/build/list_weight.h"
#include "index/build/list_writer.h"
#include "index/build/router_blocks.h"
#include "index/build/staged_vectors.h"
#include "index/build/training.h"
#include "index/build/typical_rows.h"
#include "index/segment/centroid_code.h"
#include "index/segment/list_counts.h"
#include "index/segment/segment_writer.h"
#include "index/tune/tuning.h"

namespace obliq {
namespace {

constexpr std::size_t kChunkFloats = std::size_t{1} << 22;   // of the base read at a time
constexpr std::size_t kLeastMemory = std::size_t{3} << 20;   // what is not counted one by one
constexpr std::size_t kTuningMemory = std::size_t{6} << 20;  // besides what each learn query takes
constexpr std::size_t kGivenPoints = 32768;  // of the sample where centroids are given
constexpr std::size_t kLeastRows = 64;       // of a chunk

/// The bytes behind the spans of a built segment.
struct Buffers {
  std::vector<float> mean;
  ListGroups groups;
  CodedCentroids centroids;
  std::vector<ListRecord> lists;
  std::vector<std::uint8_t> quantizer_state, blocks, rows, router_blocks, raw;
  std::vector<std::int64_t> ids;
};

class Builder {
 public:
  /// `folder`: for temporary files.
  Builder(const VectorSource& base, const BuildOptions& options, const std::string& folder)
      : base_(base),
        options_(options),
        n_(base.rows()),
        dim_(base.dim()),
        folder_(folder),
        buffers_(std::make_shared<Buffers>()) {}

  Segment build();
  void write(const std::string& path);

 private:
  void start();
  void plan_memory();
  StagingFile make_staging() const {
    return options_.max_memory > 0 ? StagingFile(folder_) : StagingFile();
  }
  std::vector<std::uint32_t> held_out() const;
  StagedVectors sample(std::size_t count) const;
  void train();
  void find_centroids(const VectorSource& sample);
  double mean_distance2(const VectorSource& sample) const;
  void choose_list_weight(const VectorSource& sample);
  void group_lists();
  void code_centroids(double mean_r2);
  void train_quantizer(const VectorSource& sample);
  void subtract_mean(Matrix<float>& rows) const;
  EncodedBase code();
  ListWriter place(EncodedBase& coded);
  void write_file(const std::string& path, EncodedBase& coded, ListWriter& lists);

  const VectorSource& base_;
  const BuildOptions& options_;
  const std::size_t n_;
  const std::size_t dim_;
  const std::string folder_;
  std::size_t chunk_rows_ = 1;                      // of the base and of the sample read at a time
  std::size_t piece_bytes_ = std::size_t{1} << 62;  // of blocks and rows laid at a time
  std::shared_ptr<Buffers> buffers_;
  Segment segment_;
  Matrix<float> centroids_;  // after the transform; once they are coded, as decoded
};

void Builder::start() {
  SegmentInfo& info = segment_.info;
  info.n = n_;
  info.dim = dim_;
  info.seed = options_.seed;
  info.metric = static_cast<std::uint32_t>(options_.metric);
  info.raw = static_cast<std::uint32_t>(options_.raw);
  info.list_weight = kUsualListWeight;
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
  if (options_.ids.rows > 0) {
    buffers_->ids.assign(options_.ids.data, options_.ids.data + n_);
    segment_.ids = buffers_->ids;
  }
  segment_.owner = buffers_;
  complete(segment_);
  plan_memory();
}

// What is kept whatever the bound: for each vector twelve bytes of k-means, then its list, where
// vectors are spilled its choice, and its id; centroids with their sums and bytes, and what k-means
// starts from; what tuning or, before it, the order of lists takes. Two thirds of the rest are for
// pieces of blocks and rows, a third for vectors on their way.
void Builder::plan_memory() {
  chunk_rows_ = std::clamp<std::size_t>(kChunkFloats / dim_, 1, std::max<std::size_t>(n_, 1));
  if (options_.max_memory == 0) return;
  const std::size_t a_vector =
      12 + (segment_.spilled > 0 ? 16 : 0) + (options_.ids.rows > 0 ? 8 : 0);
  const std::size_t a_list = 20 * dim_ + 2200;
  const std::size_t tuning =
      options_.tune ? kTuningMemory + learn_count(n_) * (8 * dim_ + 8192) : 0;
  const std::size_t order =
      list_weight_bytes(dim_, segment_.info.nlist, resolve_threads(options_.threads));
  const std::size_t kept =
      kLeastMemory + n_ * a_vector + segment_.info.nlist * a_list + std::max(tuning, order);
  const std::size_t on_the_way = 24 * dim_ + 256;  // read, entered, coded
  const std::size_t least = kept + 3 * kLeastRows * on_the_way;
  if (options_.max_memory < least) {
    throw std::invalid_argument(
        fmt::format("max_memory of {} bytes is too little for {} vectors of dim {} in {} lists; "
                    "allow {} or more",
                    options_.max_memory, n_, dim_, segment_.info.nlist, least));
  }
  const std::size_t rest = options_.max_memory - kept;
  piece_bytes_ = rest / 3;
  chunk_rows_ = std::min(chunk_rows_, rest / 3 / on_the_way);
}

// Rows for tuning, which are to be like queries: unknown to k-means. None where that would cost
// more than a twentieth of the base, or lists of hardly a vector.
std::vector<std::uint32_t> Builder::held_out() const {
  if (20 * learn_count(n_) > n_ || 2 * segment_.info.nlist > n_) return {};
  return learn_rows(n_, options_.seed);
}

// `count` rows spread evenly over the base with a seeded jitter, less those held out, behind the
// transform. Reads the base once, in order.
StagedVectors Builder::sample(std::size_t count) const {
  const std::vector<std::uint32_t> left_out = held_out();
  Random random(options_.seed);
  StagedVectors rows(dim_, make_staging());
  rows.reserve(count);
  Matrix<float> buffer;
  Matrix<float> picked(chunk_rows_, dim_);
  std::size_t taken = 0;
  for (std::size_t first = 0; first < n_; first += chunk_rows_) {
    const std::size_t size = std::min(chunk_rows_, n_ - first);
    report(options_.progress, "sample", static_cast<double>(first) / static_cast<double>(n_));
    const MatrixView<float> read = rows_of(base_, first, size, buffer);
    require_finite(read, "base vector", first);
    std::size_t kept = 0;
    for (; taken < count && taken * n_ / count < first + size; ++taken) {
      const std::size_t begin = std::max(taken * n_ / count, first);
      const std::size_t end = std::min((taken + 1) * n_ / count, first + size);
      const std::size_t pick = begin + random.below(std::max(end, begin + 1) - begin);
      if (std::binary_search(left_out.begin(), left_out.end(), pick)) continue;
      std::copy_n(read.row(pick - first), dim_, picked.row(kept++));
    }
    parallel_for(kept, 64, options_.threads, [&](std::size_t begin, std::size_t end, int) {
      for (std::size_t i = begin; i < end; ++i) segment_.transform->apply(picked.row(i));
    });
    rows.append(picked.view().slice(0, kept));
  }
  return rows;
}

// The mean of the typical rows: a few vectors far away must not pull the origin from the rest,
// which sets the precision of queries.
std::vector<float> robust_mean(const VectorSource& rows, std::size_t piece) {
  const std::vector<bool> typical = are_typical(rows, piece);
  std::vector<double> sum(rows.dim());
  Matrix<float> buffer;
  for (std::size_t first = 0; first < rows.rows(); first += piece) {
    const auto x = rows_of(rows, first, std::min(piece, rows.rows() - first), buffer);
    for (std::size_t i = 0; i < x.rows; ++i) {
      for (std::size_t j = 0; typical[first + i] && j < x.cols; ++j) sum[j] += x.row(i)[j];
    }
  }
  const auto count = static_cast<double>(std::count(typical.begin(), typical.end(), true));
  std::vector<float> mean;
  for (const double coordinate : sum) mean.push_back(static_cast<float>(coordinate / count));
  return mean;
}

// Sets the mean and the centroids.
void Builder::train() {
  const bool given = options_.centroids.rows > 0;
  const std::size_t points = given ? kGivenPoints : options_.kmeans_points * segment_.info.nlist;
  const StagedVectors rows = sample(std::min(n_, points));
  if (options_.metric != Metric::ip) buffers_->mean = robust_mean(rows, chunk_rows_);
  segment_.mean = buffers_->mean;
  complete(segment_);
  find_centroids(rows);
  const double mean_r2 = mean_distance2(rows);
  choose_list_weight(rows);
  subtract_mean(centroids_);
  group_lists();
  code_centroids(mean_r2);
  if (segment_.quantizer->learns()) train_quantizer(rows);
}

// The mean is not taken off yet, as in the sample.
void Builder::find_centroids(const VectorSource& sample) {
  const MatrixView<float> given = options_.centroids;
  if (given.rows == 0) {
    KMeansOptions how = {segment_.info.nlist, options_.kmeans_iterations, options_.seed,
                         options_.threads, options_.progress};
    how.piece_rows = std::min(how.piece_rows, chunk_rows_);
    centroids_ = kmeans(sample, how).centroids;
    return;
  }
  centroids_ = Matrix<float>(given.rows, dim_);
  std::copy_n(given.data, given.size(), centroids_.values.data());
  const auto rotation = make_rotation(dim_, options_.seed);
  for (std::size_t l = 0; l < given.rows; ++l) rotation->apply(centroids_.row(l));
}

// That of some rows from their centroids.
double Builder::mean_distance2(const VectorSource& sample) const {
  constexpr std::size_t kEnough = 1024;
  const ThinSource some(sample, std::min(sample.rows(), kEnough));
  Matrix<float> rows(some.rows(), dim_);
  some.read(0, rows.rows, rows.values.data());
  std::vector<std::uint32_t> nearest(rows.rows);
  std::vector<float> distances(rows.rows);
  assign_nearest(rows.view(), centroids_.view(), options_.threads, nearest.data(),
                 distances.data());
  return std::accumulate(distances.begin(), distances.end(), 0.0) / static_cast<double>(rows.rows);
}

// Requires the mean to be in centroids_ as it is in the sample.
void Builder::choose_list_weight(const VectorSource& sample) {
  constexpr std::size_t kEnough = 1000;  // fewer tell little
  if (sample.rows() < kEnough || centroids_.rows == 1) return;
  report(options_.progress, "order of lists", 0);
  segment_.info.list_weight = best_list_weight(
      entries_by_weight(options_.metric, sample, centroids_.view(), chunk_rows_, options_.threads));
}

// From here on the lists have their numbers.
void Builder::group_lists() {
  const std::size_t groups = choose_list_groups(options_.list_groups, centroids_.rows);
  if (groups == 1) return;
  report(options_.progress, "group lists", 0);
  KMeansOptions how = {groups};
  how.seed = options_.seed;
  how.threads = options_.threads;
  buffers_->groups = obliq::group_lists(centroids_, how);
  segment_.groups = buffers_->groups.records;
  segment_.group_panels = buffers_->groups.panels;
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

// With a bound on memory a part of the sample serves.
void Builder::train_quantizer(const VectorSource& sample) {
  report(options_.progress, "train quantizer", 0);
  const std::size_t most = options_.max_memory == 0 ? n_ : chunk_rows_;
  const ThinSource some(sample, std::min(sample.rows(), most));
  Matrix<float> rows(some.rows(), dim_);
  some.read(0, rows.rows, rows.values.data());
  subtract_mean(rows);
  const TrainingSample training =
      training_sample(*segment_.transform, rows.view(), options_.train_queries, centroids_.view(),
                      options_.threads);
  segment_.quantizer = segment_.quantizer->train(
      {training.residuals.view(), training.queries.view(), options_.threads});
  buffers_->quantizer_state = segment_.quantizer->state();
  segment_.quantizer_state = buffers_->quantizer_state;
}

EncodedBase Builder::code() {
  check_build(base_, options_);
  start();
  if (n_ == 0) return {};
  train();
  return encode_base(segment_, centroids_.view(), base_, options_,
                     {chunk_rows_, [this] { return make_staging(); }});
}

// Sets the lists and all that depends on them but blocks and rows.
ListWriter Builder::place(EncodedBase& coded) {
  ListWriter writer(segment_, coded, piece_bytes_);
  if (n_ == 0) return writer;
  buffers_->lists = writer.place();
  segment_.lists = buffers_->lists;
  SegmentInfo& info = segment_.info;
  info.entries = writer.entries();
  info.sine = writer.sine();
  info.row_tangent = writer.row_tangent();
  const double norm = std::sqrt(coded.norm2_sum / static_cast<double>(n_));
  info.typical_norm = norm > 0 ? static_cast<float>(norm) : 1.0F;
  buffers_->router_blocks = sign_centroids(segment_, info.router);
  segment_.router_blocks = buffers_->router_blocks;
  return writer;
}

Segment Builder::build() {
  if (options_.max_memory > 0) {
    throw std::invalid_argument(
        "max_memory bounds a build into a file: name one (Index::build_file), or leave it out");
  }
  EncodedBase coded = code();
  ListWriter lists = place(coded);
  buffers_->blocks.reserve(segment_.info.entries / kBlockEntries * block_bytes(dim_));
  lists.write_blocks([&](std::span<const std::uint8_t> bytes) {
    buffers_->blocks.insert(buffers_->blocks.end(), bytes.begin(), bytes.end());
  });
  lists.write_rows({});
  buffers_->rows = coded.rows.take();
  buffers_->raw = coded.raw.take();
  segment_.blocks = buffers_->blocks;
  segment_.rows = buffers_->rows;
  segment_.raw = buffers_->raw;
  return std::move(segment_);
}

void Builder::write(const std::string& path) {
  EncodedBase coded = code();
  ListWriter lists = place(coded);
  write_file(path, coded, lists);
}

void Builder::write_file(const std::string& path, EncodedBase& coded, ListWriter& lists) {
  const std::size_t piece = std::min(piece_bytes_, std::size_t{1} << 24);
  SegmentWriter writer(path, segment_);
  report(options_.progress, "write", 0);
  lists.write_blocks(writer.begin("blocks"));
  report(options_.progress, "write", .2);
  const ByteSink rows = writer.begin("rows");
  lists.write_rows(rows);
  if (coded.rows.in_memory()) writer.append(coded.rows, piece);
  (void)writer.begin("raw");
  writer.append(coded.raw, piece);
  coded = {};
  writer.finish([&](Segment& segment) {
    if (!options_.tune) return;
    segment.tuning =
        tune_built(segment, base_, options_.train_queries, {options_.threads, options_.progress});
  });
}

}  // namespace

Segment build_segment(const VectorSource& base, const BuildOptions& options) {
  return Builder(base, options, "").build();
}

void build_segment_file(const VectorSource& base, const BuildOptions& options,
                        const std::string& path) {
  Builder(base, options, std::filesystem::path(path).parent_path().string()).write(path);
}

}  // namespace obliq
