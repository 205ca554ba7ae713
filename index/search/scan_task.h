// A list being scanned for a query, a chunk of entries at a time, and the survivors of the chunk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/kernels/kernels.h"
#include "index/search/active_query.h"
#include "index/search/far_query.h"
#include "index/search/list_views.h"

namespace obliq {

/// A query at a list.
struct Visit {
  ActiveQuery* query;
  RankedProbe list;
};

struct ScanTask {
  static constexpr std::size_t kChunk = 512;  ///< entries scanned before survivors are refined

  /// Room for a chunk's survivors.
  explicit ScanTask(const Segment& segment)
      : far(segment),
        entries(kChunk + kBlockEntries),
        bounds(kChunk + kBlockEntries),
        rows(kChunk) {}

  Visit visit = {};
  ListView view;       ///< of the list
  ScanList list = {};  ///< for the kernel
  /// What the kernel looks up: the query's or, of a far list, far.
  const ScanQuery* scan = nullptr;
  FarQuery far;
  // The chunk.
  std::uint64_t first = 0;             ///< its first entry, from the start of blocks
  std::size_t found = 0;               ///< survivors
  std::vector<std::uint32_t> entries;  ///< of each: its entry, from `first`
  std::vector<float> bounds;           ///< of each: what its distance is above, mostly
  std::vector<std::uint32_t> rows;     ///< of each: its row, once it is on its way
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
