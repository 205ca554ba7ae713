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
#include "index/segment/list_counts.h"
#include "index/segment/vector_transform.h"
#include "index/tune/tuning.h"

namespace obliq {
namespace {

constexpr std::size_t kMaxDim = 65536;
constexpr std::size_t kChunkFloats = std::size_t{1} << 22;   // of the base read at a time
constexpr std::size_t kLeastMemory = std::size_t{3} << 20;   // what is not counted one by one
constexpr std::size_t kTuningMemory = std::size_t{6} << 20;  // besides what each learn query takes
constexpr std::size_t kLeastRows = 64;                       // of a chunk

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
void check(const VectorSource& base, const BuildOptions& options) {
  const std::size_t n = base.rows();
  const std::size_t dim = base.dim();
  if (dim == 0 || dim > kMaxDim) {
    throw std::invalid_argument(fmt::format("dim must be 1 to {}, not {}", kMaxDim, dim));
  }
  if (n >= std::numeric_limits<std::uint32_t>::max()) {
    throw std::invalid_argument(fmt::format("{} vectors are too many for one index", n));
  }
  check_matrix(options.centroids, dim, options.metric, "centroids", "centroid");
  check_matrix(options.train_queries, dim, options.metric, "train_queries", "training query");
  const auto& ids = options.ids;
  if (ids.rows > 0 && (ids.rows != n || ids.cols != 1)) {
    throw std::invalid_argument(
        fmt::format("ids are {} x {}, expected {} x 1", ids.rows, ids.cols, n));
  }
  if (!(*options.spill >= 0 && *options.spill <= 1)) {
    throw std::invalid_argument(
        fmt::format("spill must be a share of the vectors, 0 to 1, not {}", *options.spill));
  }
  if (options.quantizer.size() >= sizeof SegmentInfo::quantizer) {
    throw std::invalid_argument("quantizer spec '" + options.quantizer + "' is too long");
  }
  if (options.kmeans_iterations < 0 || options.kmeans_points == 0) {
    throw std::invalid_argument("kmeans_iterations must be 0 or more and kmeans_points 1 or more");
  }
}

}  // namespace

BuildPlan::BuildPlan(const VectorSource& from, const BuildOptions& how, std::string folder)
    : base(from),
      options(with_codes(how)),
      n(from.rows()),
      dim(from.dim()),
      folder_(std::move(folder)) {
  check(base, options);
  nlist = options.nlist == 0 ? choose_nlist(n) : std::min(options.nlist, n);
  if (options.centroids.rows > 0) nlist = options.centroids.rows;
  if (n == 0) nlist = 0;
  if (nlist > 1) spilled = static_cast<std::size_t>(*options.spill * static_cast<double>(n));
  chunk_rows = std::clamp<std::size_t>(kChunkFloats / dim, 1, std::max<std::size_t>(n, 1));
  if (options.max_memory > 0) divide_memory();
}

// What is kept whatever the bound: for each vector twelve bytes of k-means, then its list, where
// vectors are spilled its choice, and its id; centroids with their sums and bytes, and what k-means
// starts from; what tuning or, before it, the order of lists takes. Two thirds of the rest are for
// pieces of blocks and rows, a third for vectors on their way.
void BuildPlan::divide_memory() {
  const std::size_t per_vector = 12 + (spilled > 0 ? 16 : 0) + (options.ids.rows > 0 ? 8 : 0);
  const std::size_t per_list = 20 * dim + 2200;
  const std::size_t tuning = options.tune ? kTuningMemory + learn_count(n) * (8 * dim + 8192) : 0;
  const std::size_t order = list_weight_bytes(dim, nlist, resolve_threads(options.threads));
  const std::size_t kept =
      kLeastMemory + n * per_vector + nlist * per_list + std::max(tuning, order);
  const std::size_t on_the_way = 24 * dim + 256;  // read, transformed, encoded
  const std::size_t least = kept + 3 * kLeastRows * on_the_way;
  if (options.max_memory < least) {
    throw std::invalid_argument(
        fmt::format("max_memory of {} bytes is too little for {} vectors of dim {} in {} lists; "
                    "allow {} or more",
                    options.max_memory, n, dim, nlist, least));
  }
  const std::size_t rest = options.max_memory - kept;
  piece_bytes = rest / 3;
  chunk_rows = std::min(chunk_rows, rest / 3 / on_the_way);
}

StagingFile BuildPlan::make_staging() const {
  return options.max_memory > 0 ? StagingFile(folder_) : StagingFile();
}

}  // namespace obliq
