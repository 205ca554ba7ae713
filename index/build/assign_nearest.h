// The nearest centroid of each of many rows, by all threads.
#pragma once

#include <cstdint>

#include "index/build/nearest_rows.h"
#include "obliq/matrix_view.h"

namespace obliq {

/// For each row of x the centroid with the least squared distance, ties to the smaller number
/// (nearest_rows.h tells how surely).
/// `distances` (rows floats) may be null.
void assign_nearest(MatrixView<float> x, MatrixView<float> centroids, int threads,
                    std::uint32_t* nearest, float* distances);
/// The same for callers that keep the search of the centroids.
void assign_nearest(MatrixView<float> x, const NearestRows& centroids, int threads,
                    std::uint32_t* nearest);
/// The same with guesses as in NearestRows::search, which may be null and may be `nearest`.
void assign_nearest(MatrixView<float> x, const NearestRows& centroids, const std::uint32_t* guesses,
                    int threads, std::uint32_t* nearest, float* distances);

}  // namespace obliq
