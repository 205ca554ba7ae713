#include "tools/point.h"

#include <fmt/core.h>

#include "tools/table.h"

namespace obliq::tools {

nlohmann::ordered_json to_json(const Point& point) {
  const bool single = point.options.mode == Mode::single;
  nlohmann::ordered_json json;
  json["method"] = point.method;
  json["mode"] = single ? "single" : "batch";
  json["nprobe"] = point.nprobe;
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

std::string points_table(std::span<const Point> points) {
  const std::size_t k = points.empty() ? 0 : points.front().options.k;
  const std::string at = fmt::format("recall@{}", k);
  Table table({{"method", Align::left},
               {"mode", Align::left},
               {"B/vector"},
               {"nprobe"},
               {at},
               {"with ties"},
               {"QPS"},
               {"QPS min"},
               {"QPS max"},
               {"p50 us"},
               {"p99 us"},
               {"entries"},
               {"refined"}});
  for (const Point& point : points) {
    const bool single = point.options.mode == Mode::single;
    const bool counted = point.counters.lists > 0;
    const auto each = [&](std::uint64_t sum) {
      const double mean = static_cast<double>(sum) / static_cast<double>(point.queries);
      return counted ? rate_text(mean) : "-";
    };
    table.add({point.method, single ? "single" : "batch",
               fmt::format("{:.1f}", point.bytes_per_vector), std::to_string(point.nprobe),
               fmt::format("{:.4f}", point.recall.strict), fmt::format("{:.4f}", point.recall.ties),
               rate_text(point.qps), rate_text(point.qps_min), rate_text(point.qps_max),
               single ? rate_text(point.p50_us) : "-", single ? rate_text(point.p99_us) : "-",
               each(point.counters.entries), each(point.counters.refined)});
  }
  return table.text();
}

}  // namespace obliq::tools
