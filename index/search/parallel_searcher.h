// Searches for the queries of a call on several threads: divides them into pieces, and chooses for
// a piece whether its queries go one after the other or through lists together.
#pragma once

#include <cstdint>

#include "index/search/batch_searcher.h"
#include "index/search/scratch_pool.h"
#include "index/search/searcher.h"
#include "obliq/index.h"
#include "obliq/matrix_view.h"

namespace obliq {

/// One for an index, whose scratch memory it keeps. Any number of threads may search.
class ParallelSearcher {
 public:
  /// The set outlives this.
  explicit ParallelSearcher(const SegmentSet& set);

  /// Writes k distances and ids (-1 and +infinity where there are too few) for each query, as
  /// Searcher::search. The answers of a query depend on the query and the plan alone. Uses of the
  /// options threads, batch_order and lists: distinct numbers below nlist, or kNoList, in each row.
  void search(MatrixView<float> queries, const SearchPlan& plan, const SearchOptions& options,
              float* distances, std::int64_t* ids, SearchCounters* counters);

  /// Scratch memory kept between calls, in bytes: at most kKeptBytes, whatever the calls were.
  std::size_t kept_bytes() { return scratch_.held() + batch_scratch_.held(); }
  static constexpr std::size_t kKeptBytes = std::size_t{32} << 20;
  static constexpr std::size_t kKeptBatchBytes = kKeptBytes / 4 * 3;  ///< of queries in list order

 private:
  void search_piece(const QueryBatch& batch, const SearchPlan& plan, BatchOrder order,
                    float* distances, std::int64_t* ids, SearchCounters& counters);

  const SegmentSet& set_;
  const Searcher searcher_;
  const BatchSearcher batch_searcher_;
  ScratchPool<SearchScratch> scratch_;
  ScratchPool<BatchScratch> batch_scratch_;
};

}  // namespace obliq
