#include "tools/measure/point.h"

#include <fmt/core.h>

#include <vector>

#include "tools/table.h"

namespace obliq::tools {
namespace {

std::string knob_text(const Point& point) {
  if (point.nprobe > 0) return std::to_string(point.nprobe);
  return point.target_recall > 0 ? fmt::format("for {}", point.target_recall) : "default";
}

void add_details(const Point& point, std::vector<std::string>& cells) {
  const bool single = point.options.mode == Mode::single;
  const auto mean = [&](std::uint64_t sum) {
    const double queries = static_cast<double>(point.queries);
    return point.counters.lists > 0 ? rate_text(static_cast<double>(sum) / queries) : "-";
  };
  cells.push_back(rate_text(point.qps_min));
  cells.push_back(rate_text(point.qps_max));
  cells.push_back(single ? rate_text(point.p50_us) : "-");
  cells.push_back(single ? rate_text(point.p99_us) : "-");
  cells.push_back(fmt::format("{:.4f}", point.recall.ties));
  cells.push_back(mean(point.counters.entries));
  cells.push_back(mean(point.counters.refined));
  cells.push_back(single ? "single" : "batch");
}

}  // namespace

nlohmann::ordered_json to_json(const Point& point) {
  const bool single = point.options.mode == Mode::single;
  nlohmann::ordered_json json;
  json["method"] = point.method;
  json["mode"] = single ? "single" : "batch";
  if (point.nprobe > 0) json["nprobe"] = point.nprobe;
  if (point.target_recall > 0) json["target_recall"] = point.target_recall;
  json["k"] = point.options.k;
  json["recall"] = point.recall.strict;
  json["recall_ties"] = point.recall.ties;
  json["qps"] = point.qps;
  json["qps_min"] = point.qps_min;
  json["qps_max"] = point.qps_max;
  json["p50_us"] = single ? nlohmann::ordered_json(point.p50_us) : nullptr;
  json["p99_us"] = single ? nlohmann::ordered_json(point.p99_us) : nullptr;
  json["bytes_per_vector"] = point.bytes_per_vector;
  json["threads"] = point.options.threads;
  json["simd"] = point.simd;
  json["queries"] = point.queries;
  json["repeat"] = point.options.repeat;
  if (point.build_seconds > 0) json["build_seconds"] = point.build_seconds;
  if (point.counters.lists > 0) {
    const auto queries = static_cast<double>(point.queries);
    json["lists"] = static_cast<double>(point.counters.lists) / queries;
    json["entries"] = static_cast<double>(point.counters.entries) / queries;
    json["refined"] = static_cast<double>(point.counters.refined) / queries;
    json["exact"] = static_cast<double>(point.counters.exact) / queries;
  }
  return json;
}

std::string points_table(std::span<const Point> points, Detail detail) {
  const std::size_t k = points.empty() ? 0 : points.front().options.k;
  std::vector<Column> columns = {
      {"method", Align::left}, {"B/vector"}, {"nprobe"}, {fmt::format("recall@{}", k)}, {"QPS"}};
  if (detail == Detail::all) {
    for (const char* name :
         {"QPS min", "QPS max", "p50 us", "p99 us", "with ties", "entries", "refined", "mode"}) {
      columns.push_back({name});
    }
  }
  Table table(columns);
  for (const Point& point : points) {
    std::vector<std::string> cells = {point.method, fmt::format("{:.1f}", point.bytes_per_vector),
                                      knob_text(point), fmt::format("{:.4f}", point.recall.strict),
                                      rate_text(point.qps)};
    if (detail == Detail::all) add_details(point, cells);
    table.add(cells);
  }
  return table.text();
}

}  // namespace obliq::tools
