// Scans lists for a query and refines what survives (docs/design.md): the stages scan, refine and
// raw. Holds their scratch memory, so that they allocate nothing. One for each thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "index/search/query_state.h"
#include "index/search/router.h"
#include "index/segment/entry_format.h"
#include "index/segment/segment.h"

namespace obliq {

/// A query at a list.
struct Visit {
  QueryState* query;
  RankedProbe list;
};

class ListScanner {
 public:
  /// `router` tells the distance of lists that are primary lists of rows; it outlives this.
  ListScanner(const Segment& segment, const Router& router);

  /// Brings the answers of a list to the queries that visit it. A query is there once at the most.
  /// `next` is a list that is likely to be scanned next, or null: it is fetched.
  void scan(std::span<const Visit> visits, const ListRecord* next, SearchCounters& counters);
  /// Brings the answers of lists to a query, in their order: what scan() does list by list, but the
  /// rows of one list's survivors are on their way while the next list is scanned.
  void walk(QueryState& query, std::span<const RankedProbe> lists, const ListRecord* next,
            SearchCounters& counters);

 private:
  /// A visit under way, with the survivors of its chunk.
  struct Task {
    QueryState* query = nullptr;
    std::uint32_t list_number = 0;
    ListView view;
    ScanList list = {};
    std::size_t rank = 0;
    std::uint64_t chunk = 0;  ///< its first entry, from the start of blocks
    std::size_t found = 0;
    std::vector<std::uint32_t> entries;
    std::vector<float> bounds;
    std::vector<std::uint32_t> rows;
  };
  /// A survivor of the scan whose row is to be refined.
  struct Candidate {
    std::size_t survivor;
    PrimaryEntry primary;
  };

  void start(const Visit& visit, Task& task) const;
  void scan_group(std::span<const Visit> visits, const ListRecord* next, SearchCounters& counters);
  void scan_chunk(Task& task, std::uint32_t begin);
  void fetch_first(const Task& task) const;
  void refine_survivors(Task& task, SearchCounters& counters);
  void count_list(const Task& task, SearchCounters& counters) const;
  const ListView& view_of_primary(std::uint32_t list, SearchCounters& counters);
  void refine(SearchCounters& counters);
  void refine_range(std::size_t begin, std::size_t end, SearchCounters& counters);
  std::size_t keep_best(std::size_t found);
  std::size_t keep_below();
  void fetch_rows(std::size_t begin, std::size_t end);
  void refine_batch(std::size_t begin, std::size_t end, SearchCounters& counters);
  void select_batch(std::size_t begin, std::size_t end);
  void fetch_primary(const PrimaryEntry& primary) const;
  void offer(const Candidate& candidate, const ListView& primary, float distance,
             SearchCounters& counters);
  float row_spread(const Candidate& candidate, const ListView& primary) const;
  float exact_distance(std::uint32_t row);
  const std::uint8_t* row_at(std::uint32_t row) const;

  const Segment& segment_;
  const Router& router_;
  const std::size_t dim_;
  const bool spilled_;
  const float weight_;  ///< of <x^,q> in a distance
  const float spread_;  ///< standard deviation that signs leave in <s,q>, for |q-c| = 1

  std::vector<Task> tasks_;
  Task* task_ = nullptr;         ///< whose survivors are refined
  QueryState* query_ = nullptr;  ///< of that

  // A batch of survivors.
  std::vector<Candidate> batch_;
  std::vector<CodeRef> refs_;
  std::vector<std::uint8_t> signs_;
  std::vector<float> products_;
  std::vector<float> raw_row_;
};

}  // namespace obliq
