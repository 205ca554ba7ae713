// How far the search of one query has come: its answers so far, the lists that it has met and those
// to come, and the rows that it has refined.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/top_k.h"
#include "index/search/list_cursor.h"
#include "index/search/list_views.h"
#include "index/search/row_set.h"
#include "index/search/search_plan.h"
#include "index/segment/segment_set.h"

namespace obliq {

/// A list to visit and its place in the order of the router, from 1.
struct RankedProbe {
  Probe probe;
  std::uint32_t rank;
};

/// Rows, and those that may be answers.
struct RowCounts {
  std::uint64_t rows = 0;
  std::uint64_t allowed = 0;
};

struct SearchProgress {
  SearchPlan plan;
  TopK top;
  /// The lists to visit in order, as far as they are known; and by the stop rule, for each check
  /// among them, the mean key of those behind it (ListCursor::mean_key_ahead).
  std::vector<RankedProbe> probes;
  std::vector<float> keys_ahead;
  ListCursor cursor;
  std::size_t lists = 0;          ///< scanned
  std::size_t last_improved = 0;  ///< the last rank whose list brought the k-th distance down
  bool is_over = false;           ///< all rows that may be answers were scored
  std::size_t checks = 0;         ///< of the stop rule
  std::uint64_t entries = 0;      ///< scanned
  // Of segments that read ahead: of how many lists blocks and rows were asked for.
  std::size_t asked_blocks = 0;
  std::size_t asked_rows = 0;
  RowCounts met;       ///< with a filter, of the lists scanned
  RowCounts met_near;  ///< of the rounds that end within the first kNearLists of them
  // Where vectors are spilled:
  ListViews views;  ///< lists met
  RowSet refined;   ///< slots of the rows refined

  /// Forgets all but the plan's place, and keeps memory. The set outlives the search.
  void start(const SearchPlan& what, const SegmentSet& set);
  /// Writes k distances and slots (-1 and +infinity where there are too few), nearest first. Ends
  /// the search. Distances outside [least, most] are the error of codes.
  void write_answers(float least, float most, float* distances, std::int64_t* slots);
  /// Memory held, in bytes.
  std::size_t bytes() const;
};

}  // namespace obliq
