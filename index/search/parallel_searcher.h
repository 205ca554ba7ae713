// Searches for the queries of a call on several threads: divides them into pieces, and chooses for
// a piece whether its queries go one after the other or through lists together.
#pragma once

#include <cstdint>
#include <memory>

#include "index/search/batch_searcher.h"
#include "index/search/search_pools.h"
#include "index/search/searcher.h"
#include "obliq/index.h"
#include "obliq/matrix_view.h"

namespace obliq {

/// One for a set of segments. Any number of threads may search.
class ParallelSearcher {
 public:
  /// The set outlives this. `pools`: scratch memory of the set's model.
  explicit ParallelSearcher(const SegmentSet& set, std::shared_ptr<SearchPools> pools);

  /// Writes k distances and ids (-1 and +infinity where there are too few) for each query, as
  /// Searcher::search. The answers of a query depend on the query and the plan alone. Uses of the
  /// options threads, batch_order and lists: distinct numbers below nlist, or kNoList, in each row;
  /// explain: null or one for each query.
  void search(MatrixView<float> queries, const SearchPlan& plan, const SearchOptions& options,
              float* distances, std::int64_t* ids, SearchCounters* counters);

 private:
  void search_piece(const QueryBatch& batch, const SearchPlan& plan, BatchOrder order,
                    float* distances, std::int64_t* ids, SearchCounters& counters);
  void explain_piece(const QueryBatch& batch, const SearchPlan& plan, float* distances,
                     std::int64_t* ids, SearchExplanation* explanations, SearchCounters& counters);

  const SegmentSet& set_;
  const Searcher searcher_;
  const BatchSearcher batch_searcher_;
  const std::shared_ptr<SearchPools> pools_;
};

}  // namespace obliq
