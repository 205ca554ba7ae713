// The exact k nearest base vectors of queries, by comparing each query with each base vector: what
// recall is measured against, in tuning and in ground truth.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/top_k.h"
#include "obliq/matrix_view.h"
#include "obliq/metric.h"
#include "obliq/progress.h"
#include "obliq/vector_source.h"

namespace obliq {

struct ExactKnnOptions {
  Metric metric = Metric::l2;
  std::size_t k = 10;
  int threads = 0;  ///< 0: as many as the process may use
  Progress progress = {};
  std::string_view stage = "exact neighbours";  ///< name of the work for `progress`
  /// Of each base row: of rows at the same distance that of the smaller id comes first, also at the
  /// k-th place. Empty: a row's number is its id.
  std::span<const std::int64_t> ids = {};
};

/// Of each query the answers (distance, row), nearest first, ties by the smaller id.
using Neighbours = std::vector<std::vector<TopK::Answer>>;

/// The k nearest rows of `base`, all where there are fewer, by exact_distance (exact_distance.h) of
/// vectors that are brought near 1 by a power of two where the squares of the longest would not be
/// normal floats; cosine: of unit vectors, whatever the lengths. `excluded` names for each query a
/// base row that is no answer, TopK::kNoRow for none; empty: none for all. The same on every ISA
/// and for any number of threads. Requires finite values, k > 0, equal dims above 0 and fewer than
/// TopK::kNoRow rows. Reads the base once, in order, 4 MB at a time; cost: rows * queries * dim
/// multiplications.
Neighbours exact_knn(const VectorSource& base, MatrixView<float> queries,
                     std::span<const std::uint32_t> excluded, const ExactKnnOptions& options);

}  // namespace obliq
