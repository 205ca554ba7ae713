// k-means (Lloyd 1957) for the inverted lists, on vectors after the transform.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "index/build/assign_nearest.h"
#include "index/build/kmeans_start.h"
#include "index/build/row_groups.h"
#include "obliq/matrix_view.h"
#include "obliq/vector_source.h"

namespace obliq {

struct KMeansResult {
  Matrix<float> centroids;  ///< [clusters][dim]
  /// Mean squared distance of all points before each update that looks at all of them.
  std::vector<double> objectives;
};

/// Clusters the rows of x. Starts from k-means++ (kmeans_start.h); a cluster that runs empty
/// takes over the point that is farthest from its centroid. Where there are 128 points per cluster
/// or more, the first half of the iterations look at a quarter of them. The result depends on x,
/// clusters, iterations and seed, not on threads, nor on the ISA. Requires 0 < clusters <=
/// x.rows. Cost: iterations * rows * clusters * dim; from 16,384 clusters on less, as a point looks
/// at the centroids of near groups only, which finds the nearest of 99.7 % of them.
/// Memory: 8 bytes per row, clusters * dim * 19 bytes, a piece of the rows where they are not in
/// memory, and for the start 4 bytes per row and 2,500 per cluster.
KMeansResult kmeans(const VectorSource& x, const KMeansOptions& options);
KMeansResult kmeans(MatrixView<float> x, const KMeansOptions& options);

/// Divides rows into about 4 sqrt(rows) groups of near ones, by k-means. Does not depend on
/// threads, nor on the ISA. The margin stays infinite. Cost: about 16 rows^1.5 dim.
RowGroups divide_rows(MatrixView<float> rows, std::uint64_t seed, int threads);

}  // namespace obliq
