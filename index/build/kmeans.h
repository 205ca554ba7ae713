// k-means (Lloyd 1957) for the inverted lists, on vectors after the transform.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "index/build/nearest_rows.h"
#include "obliq/matrix_view.h"
#include "obliq/progress.h"
#include "obliq/vector_source.h"

namespace obliq {

struct KMeansOptions {
  std::size_t clusters = 1;
  int iterations = 10;
  std::uint64_t seed = 1;
  int threads = 0;
  Progress progress = {};
  std::size_t piece_rows = 16384;  ///< taken at a time, between two reports of progress
};

struct KMeansResult {
  Matrix<float> centroids;  ///< [clusters][dim]
  /// Mean squared distance of all points before each update that looks at all of them.
  std::vector<double> objectives;
};

/// Clusters the rows of x. Starts from k-means++ (Arthur, Vassilvitskii 2007) on the first
/// coordinates, which after a random rotation are a random projection; a cluster that runs empty
/// takes over the point that is farthest from its centroid. Where there are 128 points per cluster
/// or more, the first half of the iterations look at a quarter of them. The result depends on x,
/// clusters, iterations and seed, not on threads, nor on the ISA. Requires 0 < clusters <=
/// x.rows. Cost: iterations * rows * clusters * dim.
/// Memory: 8 bytes per row, clusters * dim * 17 bytes, a piece of the rows where they are not in
/// memory, and for the start 4 bytes per row and 2,200 per cluster.
KMeansResult kmeans(const VectorSource& x, const KMeansOptions& options);
KMeansResult kmeans(MatrixView<float> x, const KMeansOptions& options);

/// For each row of x the centroid with the least squared distance, ties to the smaller number
/// (nearest_rows.h tells how surely).
/// `distances` (rows floats) may be null.
void assign_nearest(MatrixView<float> x, MatrixView<float> centroids, int threads,
                    std::uint32_t* nearest, float* distances);
/// The same for callers that keep the search of the centroids.
void assign_nearest(MatrixView<float> x, const NearestRows& centroids, int threads,
                    std::uint32_t* nearest);

}  // namespace obliq
