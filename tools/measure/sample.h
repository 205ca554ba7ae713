// A sample of a set for obliq advise: base vectors in random order, and queries to ask them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "obliq/matrix_view.h"
#include "obliq/vector_source.h"

namespace obliq::tools {

struct Sample {
  Matrix<float> base;
  Matrix<float> queries;
  std::string queries_from;  ///< in words
};

struct SampleOptions {
  std::size_t rows = 50'000;   ///< of the base, at most
  std::size_t queries = 2000;  ///< at most
  std::uint64_t seed = 1;
};

/// Queries to draw from, and their name for words; without a source there are none.
struct SampleQueries {
  std::unique_ptr<VectorSource> source;
  std::string name;
};

/// Draws from `base`, an opened `set`, and from `queries`; without these, base vectors that are
/// left out of the sample stand in. Throws std::invalid_argument when there are fewer than 8,000
/// vectors or the queries have another dim.
Sample draw_sample(const VectorSource& base, const std::string& set, const SampleQueries& queries,
                   const SampleOptions& options);

}  // namespace obliq::tools
