// All that depends on the options and the size of the base alone is checked and decided here, so
// that the steps of a build need no checks. With max_memory, what every vector and list costs
// anyhow is taken off, and chunks and pieces share the rest.
#include "index/build/build_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <utility>

#include "core/parallel.h"
#include "index/build/list_weight.h"
#include "index/columns/arrange_columns.h"
#include "index/segment/list_counts.h"
#include "index/segment/raw_tier.h"
#include "index/segment/segment.h"
#include "index/segment/tuning_section.h"
#include "index/segment/vector_transform.h"
#include "index/tune/tuning.h"
#include "obliq/model.h"

namespace obliq {
namespace {

constexpr std::size_t kChunkFloats = std::size_t{1} << 22;   // of the base read at a time
constexpr std::size_t kLeastMemory = std::size_t{3} << 20;   // what is not counted one by one
constexpr std::size_t kTuningMemory = std::size_t{6} << 20;  // besides what a learn query takes
constexpr std::size_t kLeastRows = 64;                       // of a chunk
constexpr std::size_t kGivenSample = 32768;                  // where centroids are given
constexpr std::size_t kLeastSamplePerLearn = 20;
constexpr std::size_t kQuantizerFloats = std::size_t{1} << 24;
constexpr std::size_t kCopiesOfLessons = 4;  // rows, residuals, queries, and what is made of them

void check_matrix(MatrixView<float> given, std::size_t dim, Metric metric, std::string_view plural,
                  std::string_view one) {
  if (given.rows > 0 && given.cols != dim) {
    throw std::invalid_argument(
        fmt::format("{} have dim {}, the base has {}", plural, given.cols, dim));
  }
  require_finite(given, one, 0, metric);
}

// The options with quantizer and spill where they are not given.
BuildOptions with_codes(BuildOptions options) {
  const Preset codes = choose_codes({}, options.quantizer, options.raw, options.spill);
  options.spill = codes.spill;
  options.quantizer = std::string(codes.quantizer);
  return options;
}

// Values of base vectors are checked when they are read.
void check(const VectorSource& vectors, std::size_t n, const BuildOptions& options) {
  const std::size_t dim = vectors.dim();
  if (dim == 0 || dim > kMaxDim) {
    throw std::invalid_argument(fmt::format("dim must be 1 to {}, not {}", kMaxDim, dim));
  }
  if (n >= std::numeric_limits<std::uint32_t>::max()) {
    throw std::invalid_argument(fmt::format("{} vectors are too many for one index", n));
  }
  check_matrix(options.centroids, dim, options.metric, "centroids", "centroid");
  check_matrix(options.train_queries, dim, options.metric, "train_queries", "training query");
  const auto& ids = options.ids;
  if (ids.rows > 0 && (ids.rows != vectors.rows() || ids.cols != 1)) {
    throw std::invalid_argument(
        fmt::format("ids are {} x {}, expected {} x 1", ids.rows, ids.cols, vectors.rows()));
  }
  if (n < vectors.rows()) {
    throw std::invalid_argument(
        fmt::format("n is {}, fewer than the {} vectors to learn from", n, vectors.rows()));
  }
  if (!(*options.spill >= 0 && *options.spill <= 1)) {
    throw std::invalid_argument(
        fmt::format("spill must be a share of the vectors, 0 to 1, not {}", *options.spill));
  }
  if (options.quantizer.size() >= sizeof ModelInfo::quantizer) {
    throw std::invalid_argument("quantizer spec '" + options.quantizer + "' is too long");
  }
  if (options.kmeans_iterations < 0 || options.kmeans_points == 0) {
    throw std::invalid_argument("kmeans_iterations must be 0 or more and kmeans_points 1 or more");
  }
}

std::size_t lists_of(std::size_t n, const BuildOptions& options) {
  if (n == 0) return 0;
  if (options.centroids.rows > 0) return options.centroids.rows;
  return options.nlist == 0 ? choose_nlist(n) : std::min(options.nlist, n);
}

}  // namespace

std::size_t usual_chunk(std::size_t dim) { return std::max<std::size_t>(kChunkFloats / dim, 1); }

BuildPlan::BuildPlan(const VectorSource& from, std::size_t of, const BuildOptions& how,
                     std::string folder)
    : vectors(from), options(with_codes(how)), n(of), dim(from.dim()), folder_(std::move(folder)) {
  check(vectors, n, options);
  nlist = lists_of(n, options);
  size_sample();
  chunk_rows = std::min(usual_chunk(dim), std::max<std::size_t>(n, 1));
  run_rows = n;
  if (options.max_memory > 0) divide_memory();
}

// Learn queries are taken out of the sample, because a vector that k-means has seen lies nearer to
// its centroid than a query does.
void BuildPlan::size_sample() {
  sample = std::min(vectors.rows(), sample_size(n, options));
  if (sample < nlist && options.centroids.rows == 0) {
    throw std::invalid_argument(
        fmt::format("{} vectors are too few to learn {} lists from: give more of them, or fewer "
                    "lists (nlist)",
                    sample, nlist));
  }
  if (n < kLeastTuned || options.train_queries.rows > 0) return;
  learn = std::min(learn_count(n), sample / kLeastSamplePerLearn);
  if (options.centroids.rows == 0) learn = std::min(learn, sample - nlist);
}

std::size_t BuildPlan::quantizer_rows() const {
  return std::min(sample - learn, std::max<std::size_t>(kQuantizerFloats / dim, 1));
}

// What is kept whatever the bound: of the sample its keys, then what k-means knows of each vector;
// centroids with their sums and bytes, and what k-means starts from; what a quantizer learns from,
// or the order of lists, or tuning takes. Two thirds of the rest are for a run of encoded vectors,
// a third for vectors on their way.
void BuildPlan::divide_memory() {
  const std::size_t per_list = 20 * dim + 2500;
  const bool learns = make_quantizer(options.quantizer, dim, options.seed)->learns();
  const std::size_t given = std::min(options.train_queries.rows, learn_count(n));
  const std::size_t queries = std::max(given, learn);
  const std::size_t per_query = 8 * dim + 8192 + 12 * Truth::kNeighbours;
  const std::size_t tuning = options.tune ? kTuningMemory + queries * per_query : 0;
  const std::size_t order = list_weight_bytes(dim, nlist, resolve_threads(options.threads));
  const std::size_t lessons = learns ? kCopiesOfLessons * 4 * dim * quantizer_rows() : 0;
  const std::size_t ids = options.ids.rows > 0 ? 12 * n : 0;
  const std::size_t kept = kLeastMemory + sample * 24 + nlist * per_list + ids + queries * 4 * dim +
                           std::max({tuning, order, lessons});
  const std::size_t on_the_way = bytes_on_the_way(dim);
  const std::size_t encoded =
      bytes_encoded(dim, raw_bytes(options.raw, dim), arranging_bytes(options.columns));
  const std::size_t least = kept + 3 * kLeastRows * (on_the_way + encoded);
  if (options.max_memory < least) {
    throw std::invalid_argument(
        fmt::format("max_memory of {} bytes is too little for {} vectors of dim {} in {} lists; "
                    "allow {} or more",
                    options.max_memory, n, dim, nlist, least));
  }
  const std::size_t rest = options.max_memory - kept;
  run_rows = std::min(n, 2 * rest / 3 / encoded);
  chunk_rows = std::min(chunk_rows, rest / 3 / on_the_way);
}

StagingFile BuildPlan::make_staging() const {
  return options.max_memory > 0 ? StagingFile(folder_) : StagingFile();
}

std::size_t sample_size(std::size_t n, const BuildOptions& options) {
  if (options.centroids.rows > 0) return std::min(n, kGivenSample);
  return std::min(n, options.kmeans_points * lists_of(n, options));
}

}  // namespace obliq
