// Exact k nearest neighbours by brute force (core/exact_knn.h) as ground truth.
#pragma once

#include <cstddef>

#include "datasets/dataset.h"
#include "obliq/progress.h"

namespace obliq::datasets {

/// The k nearest rows of `base` for every query, nearest first, ties by the smaller id. Reads the
/// base once in chunks, so that it may be larger than memory. Distances are those of the `l2_sqr`
/// or `dot` kernel; cosine: 1 less the product of unit vectors, and ties are those of the product.
/// k > rows pads with id -1 and distance +infinity. Throws std::invalid_argument on unequal dims,
/// k = 0, 2^32 - 1 rows or more, NaN or infinity (naming the row), and outside cosine on squared
/// norms beyond float. Cost: rows * queries * dim multiplications.
GroundTruth ground_truth(const VectorSource& base, MatrixView<float> queries, std::size_t k,
                         Metric metric, int threads = 0, const Progress& progress = {});

}  // namespace obliq::datasets
