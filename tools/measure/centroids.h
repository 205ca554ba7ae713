// Centroids for everybody in a comparison.
#pragma once

#include <cstddef>
#include <cstdint>

#include "obliq/matrix_view.h"
#include "obliq/progress.h"

namespace obliq::tools {

/// Scales rows to length 1; zero rows stay.
void normalise(Matrix<float>& vectors);

struct CentroidOptions {
  std::size_t nlist = 1;
  std::uint64_t seed = 1;
  int iterations = 10;
  int threads = 0;
};

/// nlist centroids of `base` by obliq's k-means, on at most 256 vectors per list, drawn at random.
/// Throws std::invalid_argument when nlist is more than the vectors, Cancelled when asked to stop.
Matrix<float> train_centroids(MatrixView<float> base, const CentroidOptions& options,
                              const Progress& progress);

}  // namespace obliq::tools
