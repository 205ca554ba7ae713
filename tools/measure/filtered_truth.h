// What a search with a filter should find.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "datasets/dataset.h"
#include "obliq/filter.h"
#include "obliq/vector_source.h"
#include "tools/searched.h"

namespace obliq::tools {

/// The ids that pass, rising. Throws std::invalid_argument where the filter does not fit, or none
/// passes. Cost: a search of all lists for as many answers.
std::vector<std::int64_t> allowed_ids(const Searched& index, const Filter& filter);

/// The k nearest of the rows `allowed` of the base, in which ids are positions. Throws
/// std::invalid_argument where an id is none. Cost: as ground_truth, of these rows.
datasets::GroundTruth filtered_truth(const VectorSource& base,
                                     std::span<const std::int64_t> allowed,
                                     MatrixView<float> queries, std::size_t k, Metric metric,
                                     const Progress& progress);

}  // namespace obliq::tools
