#include "index/build/build_check.h"

#include <fmt/format.h>

#include <limits>
#include <stdexcept>

#include "index/segment/segment.h"
#include "index/segment/vector_transform.h"

namespace obliq {
namespace {

constexpr std::size_t kMaxDim = 65536;

}  // namespace

void check_build(const VectorSource& base, const BuildOptions& options) {
  const std::size_t n = base.rows();
  const std::size_t dim = base.dim();
  if (dim == 0 || dim > kMaxDim) {
    throw std::invalid_argument(fmt::format("dim must be 1 to {}, not {}", kMaxDim, dim));
  }
  if (n >= std::numeric_limits<std::uint32_t>::max()) {
    throw std::invalid_argument(fmt::format("{} vectors are too many for one index", n));
  }
  const auto& centroids = options.centroids;
  if (centroids.rows > 0 && centroids.cols != dim) {
    throw std::invalid_argument(
        fmt::format("centroids have dim {}, the base has {}", centroids.cols, dim));
  }
  require_finite(centroids, "centroid");
  const auto& queries = options.train_queries;
  if (queries.rows > 0 && queries.cols != dim) {
    throw std::invalid_argument(
        fmt::format("train_queries have dim {}, the base has {}", queries.cols, dim));
  }
  require_finite(queries, "training query");
  const auto& ids = options.ids;
  if (ids.rows > 0 && (ids.rows != n || ids.cols != 1)) {
    throw std::invalid_argument(
        fmt::format("ids are {} x {}, expected {} x 1", ids.rows, ids.cols, n));
  }
  if (!(options.spill >= 0 && options.spill <= 1)) {
    throw std::invalid_argument(
        fmt::format("spill must be a share of the vectors, 0 to 1, not {}", options.spill));
  }
  if (options.quantizer.size() >= sizeof SegmentInfo::quantizer) {
    throw std::invalid_argument("quantizer spec '" + options.quantizer + "' is too long");
  }
  if (options.kmeans_iterations < 0 || options.kmeans_points == 0) {
    throw std::invalid_argument("kmeans_iterations must be 0 or more and kmeans_points 1 or more");
  }
}

}  // namespace obliq
