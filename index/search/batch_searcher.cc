// Queries that wait for a round by number are sorted by list with a counting sort; a sweep then
// goes through the lists in their order. Counting bytes decides between a sweep and one query after
// the other: a list read once per sweep, against a query's table read anew at each list.
#include "index/search/batch_searcher.h"

#include <algorithm>

namespace obliq {
namespace {

constexpr std::size_t kFetchAhead = 8;  // visits
// What a visit costs besides the LUT, as bytes of a list read in sequence: about 1.5 kB of state,
// scattered over the caches' lines, its answers, refined rows and primary lists.
constexpr std::size_t kStateBytes = 6144;
constexpr double kWorthASweep = 1.5;  // how many times as much query by query must read

// A list is read for each visit or, in a sweep, once; but then each visit reads its query anew.
// Where the disk is asked for what is to come, that is done query by query.
bool worth_a_sweep(std::size_t visits, std::size_t lists, const SegmentSet& set) {
  if (set.reads_ahead()) return false;
  const auto list = static_cast<double>(set.block_bytes() / set.model().nlist());
  const auto query = static_cast<double>(16 * sign_groups(set.model().dim()) + kStateBytes);
  const auto v = static_cast<double>(visits);
  return v * list > kWorthASweep * (static_cast<double>(lists) * list + v * query);
}

}  // namespace

bool worth_list_order(std::size_t queries, const SearchPlan& plan, const SegmentSet& set) {
  const std::size_t nlist = set.model().nlist();
  const std::size_t visits = queries * lists_of_first_long_round(plan, nlist);
  return visits > 0 && worth_a_sweep(visits, std::min(visits, nlist), set);
}

std::size_t bytes_under_way(const SearchPlan& plan, const SegmentSet& set) {
  constexpr std::size_t kListBytes = 200;  // in the order of lists, and what was met where spilled
  // Vectors that grow hold up to twice as much; where spilled, rows refined besides.
  constexpr std::size_t kAnswerBytes = 2 * sizeof(TopK::Answer) + 16;
  constexpr std::size_t kFormBytes = 24;  // a coordinate, in all forms of a query
  const TrainedModel& model = set.model();
  const std::size_t lists = lists_of_first_long_round(plan, model.nlist());
  return sizeof(ActiveQuery) + kFormBytes * model.dim() + kAnswerBytes * plan.k +
         kListBytes * lists + model.nlist() / 8;
}

std::size_t BatchScratch::bytes() const {
  std::size_t sum =
      search.bytes() + ends.capacity() * sizeof(std::uint32_t) + visits.capacity() * sizeof(Visit);
  for (const ActiveQuery& query : queries) sum += query.prepared.bytes() + query.progress.bytes();
  return sum;
}

void BatchSearcher::search(const QueryBatch& batch, const SearchPlan& plan, BatchOrder order,
                           float* distances, std::int64_t* ids, BatchScratch& scratch,
                           SearchCounters& counters) const {
  const auto go_on = [&](WaitingQuery& waiting) {
    waiting.round = searcher_.next_round(*waiting.query, scratch.search, counters);
    if (!waiting.round.lists.empty()) return true;
    searcher_.finish(*waiting.query, distances + waiting.number * plan.k,
                     ids + waiting.number * plan.k, scratch.search, counters);
    return false;
  };
  scratch.queries.reserve(batch.queries.rows);  // WaitingQuery points to them
  scratch.waiting.clear();
  for (std::size_t i = 0; i < batch.queries.rows; ++i) {
    if (scratch.waiting.size() == scratch.queries.size())
      scratch.queries.emplace_back(set_.model());
    WaitingQuery waiting = {&scratch.queries[scratch.waiting.size()], i, {}};
    searcher_.start(batch.queries.row(i), batch.plan_of(i, plan), *waiting.query, counters);
    bool waits = go_on(waiting);
    for (; waits && !waiting.round.by_number; waits = go_on(waiting)) {
      searcher_.walk(*waiting.query, waiting.round.lists, scratch.search, counters);
    }
    if (waits) scratch.waiting.push_back(waiting);
  }
  while (!scratch.waiting.empty()) {
    visit_round(order, scratch, counters);
    std::erase_if(scratch.waiting, [&](WaitingQuery& waiting) { return !go_on(waiting); });
  }
}

void BatchSearcher::visit_round(BatchOrder order, BatchScratch& scratch,
                                SearchCounters& counters) const {
  std::vector<std::uint32_t>& ends = scratch.ends;
  ends.assign(set_.model().nlist() + 1, 0);
  std::size_t visits = 0;
  std::size_t lists = 0;
  for (const WaitingQuery& waiting : scratch.waiting) {
    visits += waiting.round.lists.size();
    for (const RankedProbe& list : waiting.round.lists) {
      lists += ends[list.probe.list + 1]++ == 0 ? 1 : 0;
    }
  }
  if (order == BatchOrder::automatic && !worth_a_sweep(visits, lists, set_)) {
    for (const WaitingQuery& waiting : scratch.waiting) {
      searcher_.walk(*waiting.query, waiting.round.lists, scratch.search, counters);
    }
    return;
  }
  for (std::size_t l = 0; l < set_.model().nlist(); ++l) ends[l + 1] += ends[l];
  scratch.visits.resize(visits);
  for (const WaitingQuery& waiting : scratch.waiting) {
    for (const RankedProbe& list : waiting.round.lists) {
      scratch.visits[ends[list.probe.list]++] = {waiting.query, list};
    }
  }
  sweep(scratch, counters);
}

// Requires visits by list and ends of each list's.
void BatchSearcher::sweep(BatchScratch& scratch, SearchCounters& counters) const {
  std::vector<Visit>& visits = scratch.visits;
  std::size_t fetched = 0;
  for (std::size_t begin = 0; begin < visits.size();) {
    const std::size_t end = scratch.ends[visits[begin].list.probe.list];
    // In two steps, since the second reads what the first brings.
    for (; fetched < std::min(end + kFetchAhead, visits.size()); ++fetched) {
      const std::size_t far = fetched + kFetchAhead;
      if (far < visits.size()) visits[far].query->fetch();
      visits[fetched].query->fetch_more();
    }
    const bool last = end == visits.size();
    const NextBlocks next = last ? NextBlocks{} : first_blocks(set_, visits[end].list.probe.list);
    searcher_.scan({visits.data() + begin, end - begin}, next, scratch.search, counters);
    begin = end;
  }
}

}  // namespace obliq
