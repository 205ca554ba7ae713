// The recall-speed trade-off of each method in one line: QPS at fixed recalls, read off its curve
// by the rule of bench/frontier.py; one set of cases (tests/bench/frontier_golden.json) tests both.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "tools/measure/point.h"

namespace obliq::tools {

/// The QPS of one method's points at `recall`: between two neighbours on the Pareto front, linear
/// in log QPS; at or below its lowest recall, the QPS there. None above its highest recall.
std::optional<double> qps_at(std::span<const Point> points, double recall);

/// A line for each method and mode, in order of appearance: bytes, QPS at recall .80 .90 .95 .98
/// .99, highest recall, build time.
std::string tradeoff_table(std::span<const Point> points);

}  // namespace obliq::tools
