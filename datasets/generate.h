// Seeded synthetic sets: the same bits on every platform and thread count.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "datasets/dataset.h"

namespace obliq::datasets {

struct GenerateOptions {
  std::string kind = "clustered";  ///< "gaussian" or "clustered"
  std::size_t n = 100000;
  std::size_t dim = 128;
  std::size_t queries = 1000;
  Metric metric = Metric::l2;
  std::uint64_t seed = 7;
  /// clustered: number of cluster centres (0: about sqrt(n)), eigenvalues i^-alpha of a random
  /// basis, share of the variance within clusters, and how far queries are moved from the base
  /// distribution (0: same distribution; 1: a full standard deviation of the centres).
  std::size_t clusters = 0;
  double alpha = 0.7;
  double within = 0.5;
  double query_shift = 0.0;
};

/// Makes train and test (no ground truth). Throws std::invalid_argument on unknown kinds, n or dim
/// of 0, alpha or within out of range.
BenchmarkSet generate(const GenerateOptions& options, int threads = 0);

}  // namespace obliq::datasets
