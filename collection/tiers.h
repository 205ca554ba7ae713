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

/// Trains from train_at vectors on, and again with 16 times as many as the model was trained for.
/// Seals from 65,536 rows or 64 MB in memory on, or 128 MB of log. Merges four files of like size,
/// a factor of four, or one of which more than a quarter of the rows are deleted. Tunes, where
/// nothing else is left, when there are a fifth more or fewer vectors than there were then.
Work next_work(const Snapshot& now, const ManifestInfo& info, bool in_memory,
               std::uint64_t log_bytes);

}  // namespace obliq
