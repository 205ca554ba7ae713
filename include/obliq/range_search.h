// Range search: all vectors nearer than a radius.
//
// The radius is a distance as searches return it (obliq/metric.h): |q-x|^2 for l2, 1 - cos for
// cosine, -<q,x> for ip; a vector at the radius is not among the answers. FAISS's radius is the
// same for l2; for inner products it is a similarity that is exceeded: -radius here. The radius of
// big-ann-benchmarks' SSNPP set is one of |q-x|^2, too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "obliq/columns.h"
#include "obliq/filter.h"

namespace obliq {

struct RangeSearchOptions {
  std::optional<Filter> filter = {};  ///< which vectors may be answers; none: all
  /// Probability that a vector within the radius passes the bound of a stage, as
  /// SearchOptions::confidence; 1 prunes nothing. No list is left out that may hold a vector
  /// within the radius.
  float confidence = 0.999F;
  /// The vectors whose exact distance is below the radius, all of them and no others: takes a raw
  /// tier, and prunes by bounds that always hold.
  bool exact = false;
  /// The most answers per query, the nearest; 0: any number.
  std::size_t max_results = 0;
  int threads = 0;  ///< 0: as many as the process may use. Answers do not depend on it.
  std::span<const std::string> columns = {};  ///< names of columns to return
};

/// The answers of query i are those of [lims[i], lims[i + 1]), nearest first, at equal distances by
/// rising id.
struct RangeSearchResult {
  std::vector<std::uint64_t> lims;  ///< [queries + 1]
  std::vector<float> distances;
  std::vector<std::int64_t> ids;
  std::vector<std::uint8_t> cut;  ///< [queries]; 1: there were more than max_results
  Columns columns;                ///< those asked for, a row for each answer
};

}  // namespace obliq
