// Which step in the background a collection needs next.
#pragma once

#include <cstdint>
#include <vector>

#include "collection/manifest.h"
#include "collection/snapshot.h"

namespace obliq {

struct Work {
  bool train = false;
  bool seal = false;
  std::vector<Part> merge;  ///< files that become one
  bool tune = false;

  bool nothing() const { return !train && !seal && merge.empty() && !tune; }
};

/// How much longer residuals are, in the mean of |r|^2, of what was added since the model was
/// trained than of its sample: .1 for a tenth.
struct Drift {
  double share = 0;
  std::uint64_t vectors = 0;  ///< that were added since
};
Drift drift_of(const Snapshot& now, const History& history);

/// Trains from train_at vectors on, and again with 16 times as many as the model was trained for,
/// or when it has drifted by half in a quarter of the vectors. Seals from 65,536 rows or 64 MB in
/// memory on, or 128 MB of log. Merges four files of like size, a factor of four, or one of which
/// more than a quarter of the rows are deleted. Tunes, where nothing else is left, when a fifth of
/// the vectors has been added or removed since.
Work next_work(const Snapshot& now, const ManifestInfo& info, const History& history,
               bool in_memory, std::uint64_t log_bytes);

}  // namespace obliq
