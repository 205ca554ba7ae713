// Many queries through the lists that they share (list-major order). Each query walks alone through
// its best lists; then its round and those of all others that are under way become one
// sweep over the lists: a list is read once for all queries that visit it, and while it is in the
// caches the next query costs little more than the arithmetic. What a query carries along, its LUT
// above all, is read anew at each list; counting bytes tells whether a sweep is worth that, and
// otherwise the queries go on alone.
//
// A query's own sequence of lists is the same either way (searcher.h), and so are its answers, bit
// by bit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "index/search/query_state.h"
#include "index/search/searcher.h"
#include "index/segment/segment.h"
#include "obliq/matrix_view.h"

namespace obliq {

/// The most queries under way at a time, about 20 kB each.
constexpr std::size_t kMostUnderWay = 1024;

/// Whether so many queries are enough for sweeps, if they visited all lists alike; since they do
/// not, more of them meet.
bool worth_list_order(std::size_t queries, const SearchPlan& plan, const Segment& segment);

/// One for each thread. Allocates nothing once it has seen such a batch.
class BatchSearcher {
 public:
  explicit BatchSearcher(const Segment& segment);

  /// Searcher::search for each of at most kMostUnderWay queries. BatchOrder::automatic: sweeps
  /// where they are worth it; list: always.
  void search(MatrixView<float> queries, const SearchPlan& plan, BatchOrder order, float* distances,
              std::int64_t* rows, SearchCounters& counters);

 private:
  /// A query whose round of lists is yet to be visited.
  struct Waiting {
    QueryState* query;
    std::size_t number;  ///< in the batch
    Round round;
  };
  void walk(const Waiting& waiting, SearchCounters& counters);
  void visit_round(SearchCounters& counters);
  void sweep(SearchCounters& counters);

  const Segment& segment_;
  Searcher searcher_;
  BatchOrder order_ = BatchOrder::automatic;
  std::vector<QueryState> queries_;
  std::vector<Waiting> waiting_;
  std::vector<std::uint32_t> ends_;  ///< [nlist + 1] of each list's visits
  std::vector<Visit> visits_;        ///< of a sweep, by list
};

}  // namespace obliq
