#include "tools/measure/tradeoff.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "tools/table.h"

namespace obliq::tools {
namespace {

constexpr std::array kRecalls = {0.80, 0.90, 0.95, 0.98, 0.99};

/// Points that no other beats in both, by rising recall (and so by falling QPS).
std::vector<Point> pareto_front(std::span<const Point> points) {
  std::vector<Point> sorted(points.begin(), points.end());
  std::sort(sorted.begin(), sorted.end(), [](const Point& a, const Point& b) {
    if (a.recall.strict != b.recall.strict) return a.recall.strict > b.recall.strict;
    return a.qps > b.qps;
  });
  std::vector<Point> front;
  for (const Point& point : sorted) {
    if (front.empty() || point.qps > front.back().qps) front.push_back(point);
  }
  std::reverse(front.begin(), front.end());
  return front;
}

bool same_curve(const Point& a, const Point& b) {
  return a.method == b.method && a.options.mode == b.options.mode;
}

void add_line(Table& table, std::span<const Point> curve) {
  const Point& first = curve.front();
  std::vector<std::string> cells = {first.method,
                                    first.options.mode == Mode::single ? "single" : "batch",
                                    fmt::format("{:.1f}", first.bytes_per_vector)};
  for (const double recall : kRecalls) {
    const auto qps = qps_at(curve, recall);
    cells.push_back(qps ? rate_text(*qps) : "-");
  }
  double highest = 0;
  for (const Point& point : curve) highest = std::max(highest, point.recall.strict);
  cells.push_back(fmt::format("{:.4f}", highest));
  cells.push_back(fmt::format("{:.1f}", first.build_seconds));
  table.add(cells);
}

}  // namespace

std::optional<double> qps_at(std::span<const Point> points, double recall) {
  const std::vector<Point> front = pareto_front(points);
  for (std::size_t i = 0; i < front.size(); ++i) {
    const double high = front[i].recall.strict;
    if (high < recall) continue;
    if (i == 0) return front[0].qps;
    const double low = front[i - 1].recall.strict;
    const double share = (recall - low) / (high - low);
    return std::exp(std::lerp(std::log(front[i - 1].qps), std::log(front[i].qps), share));
  }
  return std::nullopt;
}

std::string tradeoff_table(std::span<const Point> points) {
  Table table({{"method", Align::left},
               {"mode", Align::left},
               {"B/vector"},
               {"QPS at .80"},
               {".90"},
               {".95"},
               {".98"},
               {".99"},
               {"max recall"},
               {"build s"}});
  std::vector<Point> seen;
  for (const Point& point : points) {
    const auto same = [&](const Point& other) { return same_curve(point, other); };
    if (std::any_of(seen.begin(), seen.end(), same)) continue;
    seen.push_back(point);
    std::vector<Point> curve;
    std::copy_if(points.begin(), points.end(), std::back_inserter(curve), same);
    add_line(table, curve);
  }
  return table.text();
}

}  // namespace obliq::tools
