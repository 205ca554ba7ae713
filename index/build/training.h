// What a data-aware quantizer of an index learns from: the residuals that it will code, and queries
// as the lists see them that they probe, q - c. (The error of a distance is <x - x^, q - c> of the
// residual, times 2 for l2.)
#pragma once

#include <cstddef>

#include "index/segment/vector_transform.h"
#include "obliq/matrix_view.h"

namespace obliq {

struct TrainingSample {
  Matrix<float> residuals;  ///< of some rows, evenly spread
  Matrix<float> queries;    ///< q - c for the nearest lists of each query
};

/// Rows and centroids are after the transform, `queries` as users give them; none: rows stand in
/// for them. At most 64 MB each. Cost: (rows + queries) * nlist * dim.
TrainingSample training_sample(const VectorTransform& transform, MatrixView<float> rows,
                               MatrixView<float> queries, MatrixView<float> centroids, int threads);

}  // namespace obliq
