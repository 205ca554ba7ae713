// The measuring loop of eval, bench and demo: every searcher at every nprobe, several rounds.
//
// A first pass that is not timed warms the caches and gives recall and counts. Then each round
// visits all points once, so that a busy moment of the machine falls on all of them alike. QPS is
// queries over wall time: median, least and greatest over the rounds. Latencies are those of
// all queries of all rounds.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "datasets/dataset.h"
#include "obliq/progress.h"
#include "tools/measure/point.h"
#include "tools/measure/searcher.h"

namespace obliq::tools {

/// A searcher, and what to try with it: its default, and the nprobe and then the target recalls.
struct Contestant {
  Searcher* searcher;
  std::vector<std::size_t> nprobe;
  std::vector<double> target_recall = {};
  bool by_default = false;
};

/// The queries of a set, with what is right.
struct Questions {
  MatrixView<float> queries;
  const datasets::GroundTruth* truth;
  Metric metric;
};

/// Points in the order of the contestants and their nprobe. Throws Cancelled when `progress` asks
/// to stop, std::invalid_argument when there are no queries or the truth is short of k.
std::vector<Point> sweep(std::span<const Contestant> contestants, const Questions& questions,
                         const SweepOptions& options, const Progress& progress);

}  // namespace obliq::tools
