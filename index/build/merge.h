// Merges segments of one model into one segment or index: how an index is built in parts, and how a
// collection is compacted. Whatever the cut, the order of the segments and the number of steps, the
// outcome is the same, byte for byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "index/build/merge_sources.h"
#include "obliq/index.h"

namespace obliq {

struct MergePlan {
  /// The lists [first_list, end_list) are merged, with the foreign rows that they name.
  std::uint32_t first_list = 0;
  std::uint32_t end_list = 0;
  bool as_index = true;  ///< with the model; else a segment, with truth
  bool tune = true;      ///< an index, from the truth that the segments keep
  Tuning known = {};     ///< what is known of an index that is not tuned here
  bool keep_last = false;
  std::span<const std::int64_t> deleted = {};
  int threads = 0;
  Progress progress = {};
  std::function<void()> ready = {};  ///< called before the file appears (segment_file.h)
};

/// Bytes of memory that a merge takes besides its foreign rows, columns (merge_columns.h) and what
/// tuning takes.
std::size_t merge_bytes(const TrainedModel& model, std::size_t segments);

/// Writes the file at `path`, atomically. Throws as MergeSources does, std::system_error when it
/// cannot be written, Cancelled. Memory: 100 bytes per list, 12 per foreign row, a few MB per
/// segment; with deleted vectors a bit for each; with columns what merge_columns.h says. Cost: each
/// byte is read, in the order of the lists, and written once.
void merge_segments(const std::shared_ptr<const TrainedModel>& model,
                    const std::vector<MergeSource>& sources, const MergePlan& plan,
                    const std::string& path);

/// The same into a segment in memory: of all lists, without truth.
Segment merge_in_memory(const std::shared_ptr<const TrainedModel>& model,
                        const std::vector<MergeSource>& sources);

}  // namespace obliq
