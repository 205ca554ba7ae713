// The entries of a list in one segment, being scanned for a query a chunk at a time, and the
// survivors of the chunk.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/kernels/kernels.h"
#include "index/search/active_query.h"
#include "index/search/far_query.h"
#include "index/search/list_part.h"
#include "index/search/list_views.h"

namespace obliq {

/// A query at a list.
struct Visit {
  ActiveQuery* query;
  RankedProbe list;
};

struct ScanTask {
  static constexpr std::uint32_t kChunk = 512;  ///< entries scanned before survivors are refined

  /// Room for a chunk's survivors.
  explicit ScanTask(const TrainedModel& model)
      : far(model),
        entries(kChunk + kBlockEntries),
        bounds(kChunk + kBlockEntries),
        places(kChunk) {}

  Visit visit = {};
  ListPart part;       ///< whose entries are scanned
  ListView view;       ///< of the list
  ScanList list = {};  ///< for the kernel
  /// What the kernel looks up: the query's or, of a far list, far.
  const ScanQuery* scan = nullptr;
  FarQuery far;
  // The chunk.
  std::uint32_t begin = 0;             ///< its first entry, from that of the part
  std::size_t found = 0;               ///< survivors
  std::size_t refined = 0;             ///< of these, while chunks are refined by turns
  std::vector<std::uint32_t> entries;  ///< of each: its entry, from `begin`
  std::vector<float> bounds;           ///< of each: what its distance is above, mostly
  std::vector<SpilledEntry> places;    ///< of each: its row and primary list, once on their way

  /// Of a survivor: its entry, counted from the first of the part.
  std::uint32_t entry(std::size_t survivor) const { return begin + entries[survivor]; }
  bool is_primary(std::size_t survivor) const { return entry(survivor) < part.record->primaries; }
  /// Entries of the chunk.
  std::uint32_t scanned() const { return std::min(kChunk, part.record->count - begin); }
  /// Whether some of them are spilled ones.
  bool has_spilled() const { return begin + scanned() > part.record->primaries; }
};

/// The two tasks of a query that walks from list to list: while the rows of one list's survivors
/// are on their way from memory, the next list is scanned.
class TaskPair {
 public:
  /// `tasks`: two, which outlive this.
  explicit TaskPair(ScanTask* tasks) : tasks_(tasks) {}

  /// The task that may be scanned into.
  ScanTask& free() { return tasks_[turn_]; }
  /// Lets the free task wait. Returns the one that waited before, or null.
  ScanTask* push() {
    ScanTask* before = waiting_;
    waiting_ = &tasks_[turn_];
    turn_ = 1 - turn_;
    return before;
  }
  /// Takes out the task that waits; null where none does.
  ScanTask* pop() {
    ScanTask* before = waiting_;
    waiting_ = nullptr;
    return before;
  }

 private:
  ScanTask* tasks_;
  std::size_t turn_ = 0;
  ScanTask* waiting_ = nullptr;
};

}  // namespace obliq
