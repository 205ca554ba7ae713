// Queries and ground truth to measure an index with.
#pragma once

#include <cstddef>
#include <string>

#include "datasets/dataset.h"
#include "obliq/index.h"

namespace obliq::tools {

/// A set without its base. Throws std::invalid_argument when it has no ground truth, or one for
/// another metric than that of `index`, whose stats are given.
datasets::BenchmarkSet read_questions(const std::string& set, const std::string& index,
                                      const IndexStats& stats);

/// The truth of the first queries. Requires as many.
datasets::GroundTruth first_rows(const datasets::GroundTruth& truth, std::size_t rows);

}  // namespace obliq::tools
