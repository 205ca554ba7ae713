// The k-means of index/ wants rotated vectors: it starts from their first coordinates. So vectors
// are rotated, clustered, and the centroids rotated back.
#include "tools/measure/centroids.h"

#include <fmt/core.h>

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <utility>
#include <vector>

#include "core/random.h"
#include "core/safe_norm.h"
#include "index/build/kmeans.h"
#include "obliq/rotation.h"

namespace obliq::tools {
namespace {

constexpr std::size_t kPointsAList = 256;

/// `count` different rows, in rising order.
std::vector<std::size_t> draw_rows(std::size_t rows, std::size_t count, std::uint64_t seed) {
  std::vector<std::size_t> order(rows);
  std::iota(order.begin(), order.end(), std::size_t{0});
  Random random(seed);
  for (std::size_t i = 0; i < count; ++i) std::swap(order[i], order[i + random.below(rows - i)]);
  order.resize(count);
  std::sort(order.begin(), order.end());
  return order;
}

}  // namespace

void normalise(Matrix<float>& vectors) {
  for (std::size_t i = 0; i < vectors.rows; ++i) obliq::normalise(vectors.row(i), vectors.cols);
}

Matrix<float> train_centroids(MatrixView<float> base, const CentroidOptions& options,
                              const Progress& progress) {
  if (options.nlist == 0 || options.nlist > base.rows) {
    throw std::invalid_argument(fmt::format("nlist {} must be 1 to {}, the number of base vectors",
                                            options.nlist, base.rows));
  }
  const std::size_t count = std::min(base.rows, kPointsAList * options.nlist);
  const auto rotation = make_rotation(base.cols, options.seed);
  Matrix<float> points(count, base.cols);
  const std::vector<std::size_t> rows = draw_rows(base.rows, count, options.seed);
  for (std::size_t i = 0; i < count; ++i) {
    std::copy_n(base.row(rows[i]), base.cols, points.row(i));
    rotation->apply(points.row(i));
  }
  KMeansResult result = kmeans(
      points.view(), {options.nlist, options.iterations, options.seed, options.threads, progress});
  for (std::size_t c = 0; c < options.nlist; ++c) {
    rotation->apply_inverse(result.centroids.row(c));
  }
  return std::move(result.centroids);
}

}  // namespace obliq::tools
