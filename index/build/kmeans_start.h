// The points that k-means starts from.
#pragma once

#include <cstddef>
#include <cstdint>

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

/// k-means++ (Arthur, Vassilvitskii 2007) on the first 32 coordinates, which after a random
/// rotation are a random projection, of 16 candidates per cluster: each next start is drawn with
/// probability proportional to the squared distance from the starts before it. From kLeastCelled
/// clusters on in cells (kmeans_start.cc). Does not depend on threads, nor on the ISA. Cost: 16
/// clusters^2 distances in 32 dims; in cells about 200 clusters^1.5.
Matrix<float> kmeans_start(const VectorSource& x, const KMeansOptions& options);

constexpr std::size_t kLeastCelled = 2048;

}  // namespace obliq
