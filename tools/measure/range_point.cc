#include "tools/measure/range_point.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <utility>
#include <vector>

#include "tools/table.h"

namespace obliq::tools {

RangePoint measure_range(const Searched& index, MatrixView<float> queries, float radius,
                         const RangeSearchOptions& options, const datasets::RangeAnswers* truth,
                         std::size_t repeat, const Progress& progress) {
  if (queries.rows == 0) throw std::invalid_argument("there are no queries");
  if (truth != nullptr && truth->queries() != queries.rows) {
    throw std::invalid_argument(fmt::format("the truth is of {} queries, the file holds {}",
                                            truth->queries(), queries.rows));
  }
  RangePoint point;
  point.radius = radius;
  point.queries = queries.rows;
  std::vector<double> rates;
  for (std::size_t round = 0; round <= repeat; ++round) {
    report(progress, "measuring", static_cast<double>(round) / static_cast<double>(repeat + 1));
    const auto start = std::chrono::steady_clock::now();
    RangeSearchResult found = index.range_search(queries, radius, options);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    if (round > 0) {
      rates.push_back(static_cast<double>(queries.rows) / seconds.count());
      continue;
    }
    point.results = found.ids.size();
    point.queries_cut = static_cast<std::size_t>(std::count(found.cut.begin(), found.cut.end(), 1));
    if (truth == nullptr) continue;
    point.quality = range_quality(
        {std::move(found.lims), std::move(found.ids), std::move(found.distances)}, *truth);
  }
  std::sort(rates.begin(), rates.end());
  point.qps = rates[rates.size() / 2];
  point.qps_min = rates.front();
  point.qps_max = rates.back();
  return point;
}

nlohmann::ordered_json to_json(const RangePoint& point) {
  const auto known = [&](double RangeQuality::*figure) {
    return point.quality ? nlohmann::ordered_json((*point.quality).*figure) : nullptr;
  };
  return {{"radius", point.radius},
          {"average_precision", known(&RangeQuality::average_precision)},
          {"precision", known(&RangeQuality::precision)},
          {"recall", known(&RangeQuality::recall)},
          {"results", static_cast<double>(point.results) / static_cast<double>(point.queries)},
          {"queries_cut", point.queries_cut},
          {"qps", point.qps},
          {"qps_min", point.qps_min},
          {"qps_max", point.qps_max},
          {"queries", point.queries}};
}

std::string range_table(const RangePoint& point) {
  const auto known = [&](double RangeQuality::*figure) {
    return point.quality ? fmt::format("{:.4f}", (*point.quality).*figure) : std::string("-");
  };
  Table table({{"radius"}, {"AP"}, {"precision"}, {"recall"}, {"results"}, {"cut"}, {"QPS"}});
  table.add({fmt::format("{:.5g}", point.radius), known(&RangeQuality::average_precision),
             known(&RangeQuality::precision), known(&RangeQuality::recall),
             rate_text(static_cast<double>(point.results) / static_cast<double>(point.queries)),
             std::to_string(point.queries_cut), rate_text(point.qps)});
  return table.text();
}

}  // namespace obliq::tools
