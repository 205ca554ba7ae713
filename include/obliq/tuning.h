// How a target recall becomes a search. Tuning an index searches it with learn queries whose true
// neighbours are known and writes down, for some recalls and some k, when a search may stop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "obliq/progress.h"

namespace obliq {

/// How one target recall is reached at one k (16 bytes, as stored).
struct TunedTarget {
  float recall = 0;          ///< the target, in (0, 1)
  float threshold = 0;       ///< of the stop rule; -infinity: only all lists are enough
  std::uint32_t nprobe = 0;  ///< the fixed number of lists that reaches the target as well
  std::uint32_t stops = 0;   ///< 1: the stop rule is used, because it scans less; 0: nprobe
};

/// The targets of one k, rising; thresholds fall, nprobe rises.
struct TunedLadder {
  std::uint32_t k = 0;
  float max_recall = 0;  ///< recall with all lists scanned, in [0, 1]
  std::vector<TunedTarget> targets;
};

/// What tuning has found.
struct Tuning {
  std::uint32_t queries = 0;         ///< learn queries; 0: the index is not tuned
  bool from_base = true;             ///< base vectors stood in for learn queries
  bool exact_truth = true;           ///< false: truth was the index's own search, see Index::tune
  std::vector<TunedLadder> ladders;  ///< k rising
};

struct TuneOptions {
  int threads = 0;  ///< 0: all cores. The outcome does not depend on it.
  Progress progress = {};
};

}  // namespace obliq
