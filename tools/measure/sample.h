// A sample of a set for obliq advise: base vectors in random order, and queries to ask them.
#pragma once

#include <cstddef>
#include <cstdint>
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

/// Draws from `base`, an opened `set`. Queries are those of `queries`, "FILE" or "FILE:dataset";
/// when that is empty, those of the set, where it has some: learn_queries, else test; else base
/// vectors that are left out of the sample. Throws std::invalid_argument when there are fewer than
/// 8,000 vectors or the queries have another dim.
Sample draw_sample(const VectorSource& base, const std::string& set, const std::string& queries,
                   const SampleOptions& options);

}  // namespace obliq::tools
