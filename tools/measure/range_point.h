// A range search, measured: how fast it is and, beside a truth, how good.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "datasets/range_truth.h"
#include "obliq/progress.h"
#include "tools/measure/average_precision.h"
#include "tools/searched.h"

namespace obliq::tools {

struct RangePoint {
  float radius = 0;
  std::size_t queries = 0;
  std::size_t results = 0;      ///< of all queries
  std::size_t queries_cut = 0;  ///< that had more than max_results
  std::optional<RangeQuality> quality;
  double qps = 0;  ///< median of the rounds
  double qps_min = 0;
  double qps_max = 0;
};

/// Searches all queries in one call, once untimed and `repeat` times timed. Null truth: no quality.
RangePoint measure_range(const Searched& index, MatrixView<float> queries, float radius,
                         const RangeSearchOptions& options, const datasets::RangeAnswers* truth,
                         std::size_t repeat, const Progress& progress);

/// radius, average_precision, precision, recall (null without a truth), results (of a mean query),
/// queries_cut, qps, qps_min, qps_max, queries.
nlohmann::ordered_json to_json(const RangePoint& point);
std::string range_table(const RangePoint& point);

}  // namespace obliq::tools
