#include "index/search/searcher.h"

#include <algorithm>
#include <limits>

namespace obliq {
namespace {

constexpr std::size_t kAlone = 8;     // lists visited one by one, at first
constexpr std::size_t kMostJump = 3;  // lists at the end of a round, times those before
constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct ByNumber {
  bool operator()(const RankedProbe& a, const RankedProbe& b) const {
    return a.probe.list < b.probe.list;
  }
};

}  // namespace

std::size_t lists_of_first_long_round(const SearchPlan& plan, std::size_t nlist) {
  const std::size_t lists = plan.stop ? (1 + kMostJump) * kAlone / 2 : plan.nprobe;
  return std::max(std::min({lists, plan.nprobe, nlist}), kAlone) - kAlone;
}

Searcher::Searcher(const Segment& segment)
    : segment_(segment), query_(segment), router_(segment), scanner_(segment, router_) {}

void Searcher::search(const float* query, const SearchPlan& plan, float* distances,
                      std::int64_t* rows, SearchCounters& counters) {
  start(query, plan, query_, counters);
  run(query_, counters);
  finish(query_, distances, rows, counters);
}

void Searcher::start(const float* from, const SearchPlan& plan, QueryState& query,
                     SearchCounters& counters) {
  counters.times.start();
  query.start(from, plan);
  query.plan.nprobe = std::min<std::size_t>(plan.nprobe, segment_.info.nlist);
  routed_ = nullptr;
  counters.times.lap(Stage::prepare);
}

void Searcher::run(QueryState& query, SearchCounters& counters) {
  for (Round round = next_round(query, counters); !round.lists.empty();
       round = next_round(query, counters)) {
    walk(query, round.lists, counters);
  }
}

// Behind a round of so many.
const ListRecord* Searcher::likely_next(const QueryState& query, std::size_t round) const {
  const std::size_t lists = query.lists + round;
  if (lists < query.probes.size()) return &segment_.lists[query.probes[lists].probe.list];
  const RouteOrder& order = query.order;
  const bool known = query.plan.stop && order.taken == lists && lists < order.sorted;
  return known ? &segment_.lists[order.ranked[lists].list] : nullptr;
}

Round Searcher::next_round(QueryState& query, SearchCounters& counters) {
  const std::size_t begin = query.lists;
  const std::size_t most = query.plan.nprobe;
  if (segment_.info.n == 0) return {};
  const bool stopped = query.plan.stop && begin > 0 && stops(query);
  if (stopped || begin >= most) return {};
  std::size_t end = begin < kAlone ? std::min(kAlone, most) : most;
  if (query.plan.stop) {
    end = jump(query, counters);
    std::sort(query.probes.begin() + static_cast<std::ptrdiff_t>(begin),
              query.probes.begin() + static_cast<std::ptrdiff_t>(end), ByNumber{});
  } else if (begin == 0) {
    route(query, counters);
  }
  counters.times.lap(Stage::rest);
  return {std::span(query.probes).subspan(begin, end - begin), begin >= kAlone};
}

// How many lists to have visited at the next check: as many as it takes if the k-th distance does
// not fall any more, within limits since it does.
std::size_t Searcher::jump(QueryState& query, SearchCounters& counters) {
  const std::size_t begin = query.lists;
  const std::size_t most = query.plan.nprobe;
  std::size_t end = begin;
  do {
    end = std::min(end == 0 ? 1 : next_check(end), most);
    if (end > query.probes.size()) route_ahead(query, end, counters);
    if (begin > 0) ++query.checks;
  } while (begin >= kAlone && query.plan.observer == nullptr && end < most &&
           end < kMostJump * begin && !(score(query, end, query.checks) < *query.plan.stop));
  return end;
}

void Searcher::route(QueryState& query, SearchCounters& counters) {
  router_.route({query.scan, query.centroids}, query.plan.nprobe, kAlone, probes_, counters);
  for (const Probe& probe : probes_) {
    query.probes.push_back({probe, static_cast<std::uint32_t>(query.probes.size() + 1)});
  }
}

// Makes `lists` lists known.
void Searcher::route_ahead(QueryState& query, std::size_t lists, SearchCounters& counters) {
  const RouteQuery routed = {query.scan, query.centroids};
  if (query.probes.empty()) {
    router_.start(routed, query.order, counters);
  } else if (routed_ != &query) {
    router_.resume(routed, query.order);
  }
  routed_ = &query;
  std::size_t check = 1;
  while (check <= query.probes.size()) check = next_check(check);
  while (query.probes.size() < lists) {
    const auto rank = static_cast<std::uint32_t>(query.probes.size() + 1);
    query.probes.push_back({router_.next(counters), rank});
    if (rank < check && rank < query.plan.nprobe) continue;
    query.keys_ahead.push_back(router_.mean_key_ahead(lists_ahead(rank)));
    check = next_check(check);
  }
}

bool Searcher::stops(QueryState& query) const {
  const float now = score(query, query.lists, query.checks);
  if (query.plan.observer != nullptr) {
    query.plan.observer->check({query.lists, query.entries, now, query.top.answers()});
  }
  return now < *query.plan.stop;
}

// At a check by its number, or as it would be there if the k-th distance stayed as it is.
float Searcher::score(const QueryState& query, std::size_t lists, std::size_t check) const {
  if (lists < kFirstStop || !query.top.full()) return kInfinity;
  const StopScale scale(segment_.metric(), query.slope, query.offset, segment_.info.typical_norm);
  return stop_score({lists, lists - query.last_improved, scale.key(query.keys_ahead[check]),
                     scale.distance(query.top.threshold())});
}

void Searcher::finish(QueryState& query, float* distances, std::int64_t* rows,
                      SearchCounters& counters) {
  if (segment_.info.n > 0 && query.plan.fills && !query.plan.stop && !query.top.full()) {
    // Starts again, and stops as soon as there are k answers.
    query.restart();
    query.plan.nprobe = segment_.info.nlist;
    query.plan.stop = kInfinity;
    run(query, counters);
  }
  query.write_answers(distances, rows);
  counters.times.lap(Stage::rest);
}

}  // namespace obliq
