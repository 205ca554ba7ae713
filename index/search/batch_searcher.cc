#include "index/search/batch_searcher.h"

#include <algorithm>

namespace obliq {
namespace {

constexpr std::size_t kFetchAhead = 8;  // visits
// What a visit costs besides the LUT, as bytes of a list read in sequence: about 1.5 kB of state,
// scattered over the caches' lines, its answers, rows and primaries.
constexpr std::size_t kStateBytes = 6144;
constexpr double kWorthASweep = 1.5;  // how many times as much query by query must read

// A list is read for each visit or, in a sweep, once; but then each visit reads its query anew.
bool worth_a_sweep(std::size_t visits, std::size_t lists, const Segment& segment) {
  const auto list = static_cast<double>(segment.blocks.size() / segment.info.nlist);
  const auto query = static_cast<double>(16 * sign_groups(segment.dim()) + kStateBytes);
  const auto v = static_cast<double>(visits);
  return v * list > kWorthASweep * (static_cast<double>(lists) * list + v * query);
}

}  // namespace

bool worth_list_order(std::size_t queries, const SearchPlan& plan, const Segment& segment) {
  const std::size_t nlist = segment.info.nlist;
  const std::size_t visits = queries * lists_of_first_long_round(plan, nlist);
  return visits > 0 && worth_a_sweep(visits, std::min(visits, nlist), segment);
}

BatchSearcher::BatchSearcher(const Segment& segment) : segment_(segment), searcher_(segment) {}

void BatchSearcher::search(MatrixView<float> queries, const SearchPlan& plan, BatchOrder order,
                           float* distances, std::int64_t* rows, SearchCounters& counters) {
  order_ = order;
  const auto go_on = [&](Waiting& waiting) {
    waiting.round = searcher_.next_round(*waiting.query, counters);
    if (!waiting.round.lists.empty()) return true;
    searcher_.finish(*waiting.query, distances + waiting.number * plan.k,
                     rows + waiting.number * plan.k, counters);
    return false;
  };
  queries_.reserve(kMostUnderWay);  // Waiting points to them
  waiting_.clear();
  for (std::size_t i = 0; i < queries.rows; ++i) {
    if (waiting_.size() == queries_.size()) queries_.emplace_back(segment_);
    Waiting waiting = {&queries_[waiting_.size()], i, {}};
    searcher_.start(queries.row(i), plan, *waiting.query, counters);
    bool waits = go_on(waiting);
    for (; waits && !waiting.round.by_number; waits = go_on(waiting)) walk(waiting, counters);
    if (waits) waiting_.push_back(waiting);
  }
  while (!waiting_.empty()) {
    visit_round(counters);
    std::erase_if(waiting_, [&](Waiting& waiting) { return !go_on(waiting); });
  }
}

void BatchSearcher::walk(const Waiting& waiting, SearchCounters& counters) {
  searcher_.walk(*waiting.query, waiting.round.lists, counters);
}

void BatchSearcher::visit_round(SearchCounters& counters) {
  ends_.assign(segment_.info.nlist + 1, 0);
  std::size_t visits = 0;
  std::size_t lists = 0;
  for (const Waiting& waiting : waiting_) {
    visits += waiting.round.lists.size();
    for (const RankedProbe& list : waiting.round.lists) {
      lists += ends_[list.probe.list + 1]++ == 0 ? 1 : 0;
    }
  }
  if (order_ == BatchOrder::automatic && !worth_a_sweep(visits, lists, segment_)) {
    for (const Waiting& waiting : waiting_) walk(waiting, counters);
    return;
  }
  for (std::size_t l = 0; l < segment_.info.nlist; ++l) ends_[l + 1] += ends_[l];
  visits_.resize(visits);
  for (const Waiting& waiting : waiting_) {
    for (const RankedProbe& list : waiting.round.lists) {
      visits_[ends_[list.probe.list]++] = {waiting.query, list};
    }
  }
  sweep(counters);
}

// Requires visits_ by list and ends_ of each list's.
void BatchSearcher::sweep(SearchCounters& counters) {
  std::size_t fetched = 0;
  for (std::size_t begin = 0; begin < visits_.size();) {
    const std::size_t end = ends_[visits_[begin].list.probe.list];
    // In two steps, since the second reads what the first brings.
    for (; fetched < std::min(end + kFetchAhead, visits_.size()); ++fetched) {
      const std::size_t far = fetched + kFetchAhead;
      if (far < visits_.size()) visits_[far].query->fetch();
      visits_[fetched].query->fetch_more();
    }
    const bool last = end == visits_.size();
    const ListRecord* next = last ? nullptr : &segment_.lists[visits_[end].list.probe.list];
    searcher_.scan({visits_.data() + begin, end - begin}, next, counters);
    begin = end;
  }
}

}  // namespace obliq
