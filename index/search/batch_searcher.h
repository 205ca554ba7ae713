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

#include "index/search/query_batch.h"
#include "index/search/searcher.h"
#include "obliq/index.h"

namespace obliq {

/// The most queries under way at a time, about 20 kB each at k = 10.
constexpr std::size_t kMostUnderWay = 1024;

/// Bytes that a query under way takes, roughly: its forms, k answers and the lists it visits.
std::size_t bytes_under_way(const SearchPlan& plan, const SegmentSet& set);

/// Whether that number of queries is enough for sweeps, if they visited all lists alike; since they
/// do not, more of them meet.
bool worth_list_order(std::size_t queries, const SearchPlan& plan, const SegmentSet& set);

/// A query whose round of lists is yet to be visited.
struct WaitingQuery {
  ActiveQuery* query;
  std::size_t number;  ///< in the batch
  Round round;
};

/// Scratch memory of batches, so that they allocate nothing once they have seen such a batch. One
/// for each thread.
struct BatchScratch {
  explicit BatchScratch(const TrainedModel& model) : search(model) {}
  /// Memory held, in bytes, as far as it grows.
  std::size_t bytes() const;

  SearchScratch search;
  std::vector<ActiveQuery> queries;
  std::vector<WaitingQuery> waiting;
  std::vector<std::uint32_t> ends;  ///< [nlist + 1] of each list's visits
  std::vector<Visit> visits;        ///< of a sweep, by list
};

/// One for an index; threads share it, each with a BatchScratch of its own.
class BatchSearcher {
 public:
  /// The searcher outlives this.
  explicit BatchSearcher(const Searcher& searcher) : set_(searcher.set()), searcher_(searcher) {}

  /// Searcher::search for each of at most kMostUnderWay queries. BatchOrder::automatic: sweeps
  /// where they are worth it; list: always.
  void search(const QueryBatch& batch, const SearchPlan& plan, BatchOrder order, float* distances,
              std::int64_t* ids, BatchScratch& scratch, SearchCounters& counters) const;

 private:
  void visit_round(BatchOrder order, BatchScratch& scratch, SearchCounters& counters) const;
  void sweep(BatchScratch& scratch, SearchCounters& counters) const;

  const SegmentSet& set_;
  const Searcher& searcher_;
};

}  // namespace obliq
