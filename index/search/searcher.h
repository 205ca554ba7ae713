// The course of a search through the four stages: route, scan, refine, raw (docs/design.md).
//
// A query visits its lists in rounds. The best come first, one by one, and set a threshold: with a
// fixed nprobe in one round, by the stop rule in rounds of one list each. Then lists are visited by
// their number: all others of the nprobe, or as many as the stop rule takes if the k-th distance
// does not fall any more, which then mostly ends the search. So the answer depends on the query and
// the options alone, whoever else visits a list at the time: one query may go its way list by list
// (search here), or many go through the lists of their rounds together (batch_searcher.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "index/search/list_scanner.h"
#include "index/search/query_state.h"
#include "index/search/router.h"
#include "index/segment/segment.h"

namespace obliq {

/// Lists to visit in this order.
struct Round {
  std::span<const RankedProbe> lists;  ///< none: the search is over
  bool by_number = false;              ///< so that queries may go through their lists together
};

/// How many lists the first round by number has; by the stop rule about so many.
std::size_t lists_of_first_long_round(const SearchPlan& plan, std::size_t nlist);

/// Holds the scratch memory of searches, so that they allocate nothing. One for each thread.
class Searcher {
 public:
  explicit Searcher(const Segment& segment);

  /// Writes k distances and rows (-1 and +infinity where there are too few), nearest first.
  void search(const float* query, const SearchPlan& plan, float* distances, std::int64_t* rows,
              SearchCounters& counters);

  /// The same in steps: start(), then next_round() and visits to its lists with walk() or scan()
  /// until it is empty, then finish(). Steps of other queries may come between.
  void start(const float* from, const SearchPlan& plan, QueryState& query,
             SearchCounters& counters);
  /// Valid until the next step of the query.
  Round next_round(QueryState& query, SearchCounters& counters);
  void walk(QueryState& query, std::span<const RankedProbe> lists, SearchCounters& counters) {
    scanner_.walk(query, lists, likely_next(query, lists.size()), counters);
  }
  void scan(std::span<const Visit> visits, const ListRecord* next, SearchCounters& counters) {
    scanner_.scan(visits, next, counters);
  }
  void finish(QueryState& query, float* distances, std::int64_t* rows, SearchCounters& counters);

 private:
  void route(QueryState& query, SearchCounters& counters);
  void route_ahead(QueryState& query, std::size_t lists, SearchCounters& counters);
  void run(QueryState& query, SearchCounters& counters);
  const ListRecord* likely_next(const QueryState& query, std::size_t lists) const;
  bool stops(QueryState& query) const;
  std::size_t jump(QueryState& query, SearchCounters& counters);
  float score(const QueryState& query, std::size_t lists, std::size_t check) const;

  const Segment& segment_;
  QueryState query_;
  Router router_;
  ListScanner scanner_;
  std::vector<Probe> probes_;
  const QueryState* routed_ = nullptr;  ///< whose lists the router hands out
};

}  // namespace obliq
