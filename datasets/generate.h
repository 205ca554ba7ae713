// Seeded synthetic sets: the same bits on every platform and thread count.
//
//     gaussian    x = g, independent standard normal coordinates
//     clustered   x = R D (sqrt(1 - within) c + sqrt(within) g)
//
// where c is one of `clusters` standard normal centres, D^2 = diag(i^-alpha) scaled to trace dim
// and R a random rotation. So the covariance has a power-law spectrum in a random basis, as
// embeddings have, between clusters and within them, and mean variance 1 as the gaussian set.
//
// Queries of a clustered set may come from elsewhere than the base, as those of other people, of
// another length or of another modality do. Three ways, to be mixed: all are moved (query_shift);
// they leave the directions that the base prefers (query_alpha); some topics are asked for more
// often than others (query_skew).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "datasets/dataset.h"

namespace obliq::datasets {

struct GenerateOptions {
  std::string kind = "clustered";  ///< "gaussian" or "clustered"
  std::size_t n = 100000;
  std::size_t dim = 128;
  std::size_t queries = 1000;
  std::size_t learn_queries = 0;    ///< more queries of the same kind, to learn from
  Stored stored = Stored::float32;  ///< float16: values are such that a file keeps them as they are
  Metric metric = Metric::l2;
  std::uint64_t seed = 7;
  // What follows is for clustered sets.
  std::size_t clusters = 0;  ///< cluster centres, 0: about sqrt(n)
  double alpha = 0.7;        ///< eigenvalue i of the covariance is proportional to i^-alpha
  double within = 0.5;       ///< share of the variance within clusters, 0 to 1
  /// How far queries lie from the base distribution, all in one direction: 0 is the same
  /// distribution, 1 is as far as a centre lies from the mean.
  double query_shift = 0.0;
  std::optional<double> query_alpha;  ///< alpha of g in queries; none: that of the base
  double query_skew = 0.0;  ///< queries pick centre number i = 1, 2 ... as often as i^-skew
};

/// Makes train, test and learn_queries (no ground truth). Throws std::invalid_argument on unknown
/// kinds, n or dim of 0, a negative alpha, query_shift, query_alpha or query_skew, within outside
/// [0, 1].
BenchmarkSet generate(const GenerateOptions& options, int threads = 0);

}  // namespace obliq::datasets
