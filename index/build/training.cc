// Residuals of rows spread over the sample to their nearest centroids; and queries, or rows in
// their place, less the centroids of the lists that they probe first. Vectors far longer than the
// others are left out.
#include "index/build/training.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "core/kernels/dispatch.h"
#include "core/parallel.h"
#include "core/spread_rows.h"
#include "index/build/kmeans.h"
#include "index/build/typical_rows.h"
#include "index/segment/list_key.h"

namespace obliq {
namespace {

constexpr std::size_t kMostFloats = std::size_t{1} << 24;  // of each matrix of a sample
constexpr std::size_t kMostQueries = 4096;
constexpr std::size_t kListsPerQuery = 16;
constexpr float kFarther2 = 4;
constexpr std::size_t kListsToOneProbed = 8;  // where lists are few, a query probes a share of them

Matrix<float> without_outliers(const Matrix<float>& rows) {
  const std::vector<std::size_t> typical = typical_rows(rows.view());
  Matrix<float> kept(typical.size(), rows.cols);
  for (std::size_t i = 0; i < kept.rows; ++i) {
    std::copy_n(rows.row(typical[i]), rows.cols, kept.row(i));
  }
  return kept;
}

void subtract(const float* c, std::size_t dim, float* x) {
  for (std::size_t j = 0; j < dim; ++j) x[j] -= c[j];
}

// The `count` lists that a query would probe first. In the place of lists that are twice as far as
// the first, as those of other tight clusters are, comes the first again: what they hold is no near
// neighbour, whatever its error, and q - c to them is so long that it would rule what is learnt.
std::vector<std::size_t> nearest_lists(Metric metric, const float* query,
                                       MatrixView<float> centroids, std::size_t count) {
  std::vector<float> keys(centroids.rows);
  for (std::size_t l = 0; l < keys.size(); ++l) {
    keys[l] = centroid_distance(metric, query, centroids.row(l), centroids.cols);
  }
  std::vector<std::size_t> lists(keys.size());
  std::iota(lists.begin(), lists.end(), std::size_t{0});
  std::partial_sort(
      lists.begin(), lists.begin() + static_cast<std::ptrdiff_t>(count), lists.end(),
      [&](std::size_t a, std::size_t b) { return keys[a] != keys[b] ? keys[a] < keys[b] : a < b; });
  lists.resize(count);
  const auto distance2 = [&](std::size_t l) {
    return kernels().l2_sqr(query, centroids.row(l), centroids.cols);
  };
  const float limit = kFarther2 * distance2(lists.front());
  std::replace_if(
      lists.begin() + 1, lists.end(), [&](std::size_t l) { return distance2(l) > limit; },
      lists.front());
  return lists;
}

Matrix<float> residuals_of(MatrixView<float> rows, MatrixView<float> centroids, int threads) {
  Matrix<float> residuals = spread_rows(rows, std::max<std::size_t>(kMostFloats / rows.cols, 1));
  std::vector<std::uint32_t> nearest(residuals.rows);
  assign_nearest(residuals.view(), centroids, threads, nearest.data(), nullptr);
  for (std::size_t i = 0; i < residuals.rows; ++i) {
    subtract(centroids.row(nearest[i]), rows.cols, residuals.row(i));
  }
  return without_outliers(residuals);
}

Matrix<float> probing_queries(Metric metric, MatrixView<float> queries, MatrixView<float> centroids,
                              int threads) {
  const std::size_t dim = queries.cols;
  const std::size_t lists =
      std::clamp<std::size_t>(centroids.rows / kListsToOneProbed, 1, kListsPerQuery);
  const Matrix<float> some =
      spread_rows(queries, std::clamp<std::size_t>(kMostFloats / dim / lists, 1, kMostQueries));
  Matrix<float> seen(some.rows * lists, dim);
  parallel_for(some.rows, 16, threads, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t i = begin; i < end; ++i) {
      float* out = seen.row(i * lists);
      for (const std::size_t l : nearest_lists(metric, some.row(i), centroids, lists)) {
        std::copy_n(some.row(i), dim, out);
        subtract(centroids.row(l), dim, out);
        out += dim;
      }
    }
  });
  return without_outliers(seen);
}

// The queries as a search sees them: ip brings a query to the typical norm of the base.
Matrix<float> transformed(const VectorTransform& transform, MatrixView<float> rows,
                          MatrixView<float> queries) {
  const std::size_t dim = rows.cols;
  Matrix<float> seen(queries.rows, dim);
  std::copy_n(queries.data, seen.values.size(), seen.values.data());
  for (std::size_t i = 0; i < seen.rows; ++i) transform.apply(seen.row(i));
  if (transform.metric() != Metric::ip || seen.rows == 0) return seen;
  double norm2 = 0;
  for (std::size_t i = 0; i < rows.rows; ++i) {
    norm2 += kernels().dot(rows.row(i), rows.row(i), dim);
  }
  const auto typical = static_cast<float>(std::sqrt(norm2 / static_cast<double>(rows.rows)));
  for (std::size_t i = 0; i < seen.rows; ++i) {
    normalise(seen.row(i), dim);
    for (std::size_t j = 0; j < dim; ++j) seen.row(i)[j] *= typical;
  }
  return seen;
}

}  // namespace

TrainingSample training_sample(const VectorTransform& transform, MatrixView<float> rows,
                               MatrixView<float> queries, MatrixView<float> centroids,
                               int threads) {
  const Matrix<float> given = transformed(transform, rows, queries);
  const MatrixView<float> known = queries.rows > 0 ? given.view() : rows;
  return {residuals_of(rows, centroids, threads),
          probing_queries(transform.metric(), known, centroids, threads)};
}

}  // namespace obliq
