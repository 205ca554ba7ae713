// The exact nearest base vectors of some queries, by comparing with all: what tuning measures
// recall against.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/top_k.h"
#include "obliq/matrix_view.h"
#include "obliq/metric.h"
#include "obliq/progress.h"
#include "obliq/vector_source.h"

namespace obliq {

/// Queries as users give them, each with the base vector that it is a copy of, if any.
struct LearnQueries {
  Matrix<float> queries;
  std::vector<std::uint32_t> self;  ///< [queries]; TopK::kNoRow: none
};

/// For each query its neighbours other than itself, nearest first.
using Neighbours = std::vector<std::vector<TopK::Answer>>;

/// The k nearest rows of `base` (all, where there are fewer), by the metric's distance. The same on
/// every SIMD level and for any number of threads. Requires finite values. Cost: rows * queries *
/// dim; memory 16 MB of base at a time.
Neighbours true_neighbours(const VectorSource& base, Metric metric, const LearnQueries& learn,
                           std::size_t k, int threads, const Progress& progress);

}  // namespace obliq
