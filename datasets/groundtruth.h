// Exact k nearest neighbours by blocked brute force.
#pragma once

#include <cstddef>

#include "datasets/dataset.h"
#include "obliq/progress.h"

namespace obliq::datasets {

/// The k nearest rows of `base` for every query, nearest first, ties by the smaller id. Reads the
/// base once in chunks, so that it may be larger than memory. Candidates come from the blocked
/// `dots` kernel; their distances are recomputed by the `l2_sqr` or `dot` kernel. k > rows pads
/// with id -1 and distance +infinity. Throws std::invalid_argument on unequal dims, k = 0, NaN or
/// infinity (naming the row). Cost: rows * queries * dim multiplications.
GroundTruth ground_truth(const VectorSource& base, MatrixView<float> queries, std::size_t k,
                         Metric metric, int threads = 0, const Progress& progress = {});

}  // namespace obliq::datasets
