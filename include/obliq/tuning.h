// How a target recall becomes a search. Tuning searches an index with learn queries whose true
// neighbours are known. It finds, for nine target recalls and for k = 1, 10 and 100, when a search
// may stop: after a fixed number of lists (nprobe), or as soon as a score of the query's own
// progress falls below a threshold (the stop rule). Index::search interpolates between these and,
// beyond k = 100, between the nprobe there and all lists at k = n.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "obliq/matrix_view.h"
#include "obliq/progress.h"

namespace obliq {

/// How one target recall is met at one k, in both ways; uses_stop_rule says which a search takes.
struct TunedTarget {
  float recall = 0;  ///< target mean recall@k, in (0, 1)
  /// A query stops once its score is below this. No unit; it is lower for higher recalls, and
  /// -infinity where only a scan of all lists meets the target.
  float threshold = 0;
  std::size_t nprobe = 0;       ///< lists per query that meet the target without the stop rule
  bool uses_stop_rule = false;  ///< true where the threshold takes less work than nprobe lists
  /// With which nprobe meets the target, see SearchOptions; the threshold has the default one.
  float confidence = 0.964F;
};

/// What is known at one k.
struct TunedLadder {
  std::size_t k = 0;
  float max_recall = 0;  ///< recall@k of a scan of all lists, in [0, 1]: no target above it is met
  std::vector<TunedTarget> targets;  ///< by rising recall; thresholds do not rise, nprobe not fall
};

/// What tuning has found.
struct Tuning {
  std::size_t queries = 0;  ///< number of learn queries; 0: the index is not tuned
  bool from_base = true;    ///< true: base vectors stood in for learn queries
  bool exact_truth = true;  ///< false: truth was the index's own full scan, see Index::tune
  std::vector<TunedLadder> ladders;  ///< by rising k
};

struct TuneOptions {
  int threads = 0;  ///< 0: as many as the process may use. The outcome does not depend on it.
  Progress progress = {};
  /// The true neighbours of the learn queries, nearest first: ids, [learn queries][100 or more]; -1
  /// is passed over. None: Index::tune finds out.
  MatrixView<std::int64_t> neighbours = {};
};

}  // namespace obliq
