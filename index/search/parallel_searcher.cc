// A call is cut into pieces for the threads: hundreds of queries where they go through lists
// together, eight otherwise. A piece takes scratch memory from a pool and gives it back.
#include "index/search/parallel_searcher.h"

#include <algorithm>
#include <limits>
#include <mutex>
#include <utility>

#include "core/parallel.h"

namespace obliq {
namespace {

constexpr std::size_t kQueriesPerPiece = 8;
constexpr std::size_t kFewestUnderWay = 16;                     // fewer hardly ever meet at a list
constexpr std::size_t kLeastPieceBytes = std::size_t{4} << 20;  // some 200 queries at k = 10

/// How the queries of a call are divided between threads, and the order in a piece.
struct Pieces {
  std::size_t queries;
  BatchOrder order;
};

// Pieces of at most `under_way` queries, as many for each thread.
std::size_t piece_of(std::size_t queries, std::size_t threads, std::size_t under_way) {
  const std::size_t rounds = (queries + threads * under_way - 1) / (threads * under_way);
  const std::size_t pieces = std::max<std::size_t>(1, rounds * threads);
  return (queries + pieces - 1) / pieces;
}

// Whether a list that serves the queries of such a piece together pays.
bool together(std::size_t piece, const SearchOptions& options, const SearchPlan& plan,
              const SegmentSet& set) {
  return options.batch_order == BatchOrder::list || worth_list_order(piece, plan, set);
}

// Pieces in list order are at first so small that the scratch memory of all threads is kept for the
// next call (of many threads, 4 MiB each): what a call gives back, malloc keeps from the system.
// Where lists pay only in larger pieces, they are as large as may be.
Pieces divide(std::size_t queries, std::size_t threads, const SearchOptions& options,
              const SearchPlan& plan, const SegmentSet& set) {
  if (options.batch_order == BatchOrder::query || options.explain != nullptr)
    return {kQueriesPerPiece, BatchOrder::query};
  const std::size_t kept = std::max(SearchPools::kKeptBatchBytes / threads, kLeastPieceBytes);
  const std::size_t fit =
      std::clamp(kept / bytes_under_way(plan, set), kFewestUnderWay, kMostUnderWay);
  for (const std::size_t under_way : {fit, kMostUnderWay}) {
    const std::size_t piece = piece_of(queries, threads, under_way);
    if (together(piece, options, plan, set)) return {piece, options.batch_order};
  }
  return {kQueriesPerPiece, BatchOrder::query};
}

SearchEnd end_of(const SearchProgress& progress, const SegmentSet& set) {
  const StopPolicy& stop = progress.plan.stop;
  if (progress.is_over) return SearchEnd::all_allowed;
  if (!progress.plan.lists.empty()) return SearchEnd::given;
  if (set.n() == 0 || progress.lists >= set.filled()) return SearchEnd::all_lists;
  if (!stop.threshold || progress.lists >= stop.nprobe) return SearchEnd::nprobe;
  const bool fills = *stop.threshold == std::numeric_limits<float>::infinity();
  return fills ? SearchEnd::k_found : SearchEnd::stop_rule;
}

SearchExplanation explanation_of(const SearchCounters& work, const SearchProgress& progress,
                                 const SegmentSet& set) {
  SearchExplanation told = {work.lists, work.entries, work.refined, work.exact,
                            end_of(progress, set)};
  const RowFilter* filter = progress.plan.filter;
  told.allowed = filter == nullptr ? set.n() : filter->count;
  if (filter != nullptr) told.method = SearchMethod::masked_lists;
  if (progress.is_over) told.method = SearchMethod::direct;
  return told;
}

}  // namespace

ParallelSearcher::ParallelSearcher(const SegmentSet& set, std::shared_ptr<SearchPools> pools)
    : set_(set), searcher_(set), batch_searcher_(searcher_), pools_(std::move(pools)) {}

void ParallelSearcher::search(MatrixView<float> queries, const SearchPlan& plan,
                              const SearchOptions& options, float* distances, std::int64_t* ids,
                              SearchCounters* counters) {
  const int threads = resolve_threads(options.threads);
  const QueryBatch batch = {queries, options.lists, options.within};
  SearchPlan all = plan;
  if (batch.lists.cols > 0) all.stop = {batch.lists.cols, {}};
  const Pieces pieces = divide(queries.rows, static_cast<std::size_t>(threads), options, all, set_);
  std::mutex counting;
  parallel_for(queries.rows, pieces.queries, threads, [&](std::size_t begin, std::size_t end, int) {
    SearchCounters local;
    if (counters != nullptr) local.times.clock = counters->times.clock;
    const QueryBatch piece = batch.slice(begin, end - begin);
    if (options.explain != nullptr) {
      explain_piece(piece, all, distances + begin * plan.k, ids + begin * plan.k,
                    options.explain->data() + begin, local);
    } else {
      search_piece(piece, all, pieces.order, distances + begin * plan.k, ids + begin * plan.k,
                   local);
    }
    if (counters == nullptr) return;
    const std::lock_guard lock(counting);
    counters->add(local);
  });
}

void ParallelSearcher::explain_piece(const QueryBatch& batch, const SearchPlan& plan,
                                     float* distances, std::int64_t* ids,
                                     SearchExplanation* explanations, SearchCounters& counters) {
  auto scratch = pools_->single.take(set_.model());
  for (std::size_t i = 0; i < batch.queries.rows; ++i) {
    SearchCounters own;
    own.times.clock = counters.times.clock;
    searcher_.search(batch.queries.row(i), batch.plan_of(i, plan), distances + i * plan.k,
                     ids + i * plan.k, *scratch, own);
    explanations[i] = explanation_of(own, scratch->query.progress, set_);
    counters.add(own);
  }
  pools_->single.give_back(std::move(scratch));
}

void ParallelSearcher::search_piece(const QueryBatch& batch, const SearchPlan& plan,
                                    BatchOrder order, float* distances, std::int64_t* ids,
                                    SearchCounters& counters) {
  if (order == BatchOrder::query) {
    auto scratch = pools_->single.take(set_.model());
    for (std::size_t i = 0; i < batch.queries.rows; ++i) {
      searcher_.search(batch.queries.row(i), batch.plan_of(i, plan), distances + i * plan.k,
                       ids + i * plan.k, *scratch, counters);
    }
    pools_->single.give_back(std::move(scratch));
    return;
  }
  auto scratch = pools_->batch.take(set_.model());
  batch_searcher_.search(batch, plan, order, distances, ids, *scratch, counters);
  pools_->batch.give_back(std::move(scratch));
}

}  // namespace obliq
