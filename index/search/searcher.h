// The course of a search through the four stages: route, scan, refine, raw (docs/design.md).
//
// A query visits its lists in rounds. The best come first, one by one, and set a threshold: with a
// fixed nprobe in one round, by the stop rule in rounds of one list each. Then lists are visited by
// their number: all others of the nprobe, or of those that the caller names, or as many as the stop
// rule takes if the k-th distance does not fall any more, which then mostly ends the search. So the
// answer depends on the query and the options alone, whoever else visits a list at the time: one
// query may go its way list by list (search here), or many go through the lists of their rounds
// together (batch_searcher.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "index/search/active_query.h"
#include "index/search/direct_scorer.h"
#include "index/search/list_scanner.h"
#include "index/search/router.h"
#include "index/segment/segment_set.h"

namespace obliq {

/// Lists to visit in this order.
struct Round {
  std::span<const RankedProbe> lists;  ///< none: the search is over
  bool by_number = false;              ///< so that queries may go through their lists together
};

/// How many lists the first round by number has; by the stop rule the longest one, or about as
/// many.
std::size_t lists_of_first_long_round(const SearchPlan& plan, std::size_t nlist);

/// Scratch memory of searches, so that they allocate nothing. One for each thread.
struct SearchScratch {
  explicit SearchScratch(const TrainedModel& model) : query(model), scan(model) {}
  /// Memory held, in bytes, as far as it grows.
  std::size_t bytes() const;

  ActiveQuery query;  ///< of Searcher::search
  RouteScratch route;
  ScanScratch scan;
  std::vector<Probe> probes;
};

/// One for an index; threads share it, each with a SearchScratch of its own.
class Searcher {
 public:
  /// The set outlives this.
  explicit Searcher(const SegmentSet& set);
  Searcher(const Searcher&) = delete;
  Searcher& operator=(const Searcher&) = delete;

  const SegmentSet& set() const { return router_.set(); }
  const TrainedModel& model() const { return router_.model(); }

  /// Writes k distances and ids, or slots where the plan says so, nearest first, at equal distances
  /// by rising id; -1 and +infinity where there are too few.
  void search(const float* query, const SearchPlan& plan, float* distances, std::int64_t* ids,
              SearchScratch& scratch, SearchCounters& counters) const;

  /// The same in steps: start(), then next_round() and visits to its lists with walk() or scan()
  /// until it is empty, then finish(). Steps of other queries may come between.
  void start(const float* from, const SearchPlan& plan, ActiveQuery& query,
             SearchCounters& counters) const;
  /// Valid until the next step of the query.
  Round next_round(ActiveQuery& query, SearchScratch& scratch, SearchCounters& counters) const;
  void walk(ActiveQuery& query, std::span<const RankedProbe> lists, SearchScratch& scratch,
            SearchCounters& counters) const {
    if (set().reads_ahead()) {
      walk_from_disk(query, lists, scratch, counters);
      return;
    }
    scanner_.walk(query, lists, likely_next(query.progress, lists.size()), scratch.scan, counters);
  }
  void scan(std::span<Visit> visits, const NextBlocks& next, SearchScratch& scratch,
            SearchCounters& counters) const {
    scanner_.scan(visits, next, scratch.scan, counters);
  }
  void finish(ActiveQuery& query, float* distances, std::int64_t* ids, SearchScratch& scratch,
              SearchCounters& counters) const;

 private:
  void walk_from_disk(ActiveQuery& query, std::span<const RankedProbe> lists,
                      SearchScratch& scratch, SearchCounters& counters) const;
  void ask_ahead(ActiveQuery& query, std::size_t rows, std::size_t known,
                 SearchScratch& scratch) const;
  void run(ActiveQuery& query, SearchScratch& scratch, SearchCounters& counters) const;
  void route(ActiveQuery& query, SearchScratch& scratch, SearchCounters& counters) const;
  void route_ahead(ActiveQuery& query, std::size_t lists, SearchScratch& scratch,
                   SearchCounters& counters) const;
  void take_given(ActiveQuery& query) const;
  void name(std::span<std::int64_t> answers, ReadAhead& ahead) const;
  bool may_hold_k(const SearchProgress& progress) const;
  void fill(SearchProgress& progress) const;
  std::size_t jump(ActiveQuery& query, SearchScratch& scratch, SearchCounters& counters) const;
  NextBlocks likely_next(const SearchProgress& progress, std::size_t round) const;
  void score_all(ActiveQuery& query, SearchScratch& scratch, SearchCounters& counters) const;
  bool stops(const ActiveQuery& query, const SearchCounters& counters) const;
  float score(const ActiveQuery& query, std::size_t lists, std::size_t check) const;
  float threshold(const SearchProgress& progress) const;
  std::size_t least(const SearchProgress& progress) const;

  const Router router_;
  const ListScanner scanner_;
  const DirectScorer direct_;
};

}  // namespace obliq
