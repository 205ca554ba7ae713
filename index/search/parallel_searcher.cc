// A call is cut into pieces for the threads: as large as may be where queries go through lists
// together, eight queries otherwise. A piece takes scratch memory from a pool and gives it back.
#include "index/search/parallel_searcher.h"

#include <algorithm>
#include <mutex>

#include "core/parallel.h"

namespace obliq {
namespace {

constexpr std::size_t kQueriesPerPiece = 8;

/// How the queries of a call are divided between threads, and the order in a piece.
struct Pieces {
  std::size_t queries;
  BatchOrder order;
};

Pieces divide(std::size_t queries, std::size_t threads, const SearchOptions& options,
              const SearchPlan& plan, const Segment& segment) {
  // As large as may be, since a list serves more queries of a larger piece.
  const std::size_t rounds = (queries + threads * kMostUnderWay - 1) / (threads * kMostUnderWay);
  const std::size_t pieces = std::max<std::size_t>(1, rounds * threads);
  const std::size_t piece = (queries + pieces - 1) / pieces;
  const bool query_order =
      options.batch_order == BatchOrder::query ||
      (options.batch_order == BatchOrder::automatic && !worth_list_order(piece, plan, segment));
  if (query_order) return {kQueriesPerPiece, BatchOrder::query};
  return {piece, options.batch_order};
}

}  // namespace

ParallelSearcher::ParallelSearcher(const Segment& segment)
    : segment_(segment),
      searcher_(segment),
      batch_searcher_(searcher_),
      scratch_(kKeptBytes / 4),
      batch_scratch_(kKeptBytes - kKeptBytes / 4) {}

void ParallelSearcher::search(MatrixView<float> queries, const SearchPlan& plan,
                              const SearchOptions& options, float* distances, std::int64_t* rows,
                              SearchCounters* counters) {
  const int threads = resolve_threads(options.threads);
  const Pieces pieces =
      divide(queries.rows, static_cast<std::size_t>(threads), options, plan, segment_);
  std::mutex counting;
  parallel_for(queries.rows, pieces.queries, threads, [&](std::size_t begin, std::size_t end, int) {
    SearchCounters local;
    if (counters != nullptr) local.times.clock = counters->times.clock;
    search_piece(queries.slice(begin, end - begin), plan, pieces.order, distances + begin * plan.k,
                 rows + begin * plan.k, local);
    if (counters == nullptr) return;
    const std::lock_guard lock(counting);
    counters->add(local);
  });
}

void ParallelSearcher::search_piece(MatrixView<float> queries, const SearchPlan& plan,
                                    BatchOrder order, float* distances, std::int64_t* rows,
                                    SearchCounters& counters) {
  if (order == BatchOrder::query) {
    auto scratch = scratch_.take(segment_);
    for (std::size_t i = 0; i < queries.rows; ++i) {
      searcher_.search(queries.row(i), plan, distances + i * plan.k, rows + i * plan.k, *scratch,
                       counters);
    }
    scratch_.give_back(std::move(scratch));
    return;
  }
  auto scratch = batch_scratch_.take(segment_);
  batch_searcher_.search(queries, plan, order, distances, rows, *scratch, counters);
  batch_scratch_.give_back(std::move(scratch));
}

}  // namespace obliq
