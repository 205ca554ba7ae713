// One measured point: a searcher at one nprobe, and how it is shown.
//
//     single  one query per call; `threads` callers side by side
//     batch   all queries in one call of `threads` threads; no latencies
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "index/search/search_counters.h"
#include "obliq/index.h"
#include "tools/measure/recall.h"

namespace obliq::tools {

enum class Mode { single, batch };

struct SweepOptions {
  std::size_t k = 10;
  Mode mode = Mode::single;
  int threads = 1;
  std::size_t repeat = 5;
};

/// What was measured at one nprobe of one searcher.
struct Point {
  std::string method;
  std::string simd;
  std::size_t nprobe = 0;    ///< 0: a target recall, or the default
  double target_recall = 0;  ///< 0: an nprobe, or the default
  std::size_t queries = 0;
  SweepOptions options;
  Recall recall;
  double qps = 0;
  double qps_min = 0;
  double qps_max = 0;
  double p50_us = 0;  ///< 0 in batch mode
  double p99_us = 0;  ///< 0 in batch mode
  double bytes_per_vector = 0;
  double build_seconds = 0;  ///< 0: not known
  SearchCounters counters;   ///< of one pass over the queries; zero where a peer cannot count
};

/// method, mode, nprobe or target_recall (neither by default), k, recall, recall_ties, qps,
/// qps_min, qps_max, p50_us, p99_us (null in batch mode), bytes_per_vector, threads, simd, queries,
/// repeat, build_seconds, and a query's mean of lists, entries, refined and exact when they were
/// counted.
nlohmann::ordered_json to_json(const Point& point);

enum class Detail { few, all };

/// A table of points, one per line; `few` shows method, bytes, nprobe, recall and QPS.
std::string points_table(std::span<const Point> points, Detail detail = Detail::all);

}  // namespace obliq::tools
