#include "index/searcher.h"

#include <algorithm>
#include <limits>

namespace obliq {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

}  // namespace

Searcher::Searcher(const Segment& segment)
    : segment_(segment), query_(segment), router_(segment), scanner_(segment, router_) {}

void Searcher::search(const float* query, const SearchPlan& plan, float* distances,
                      std::int64_t* rows, SearchCounters& counters) {
  counters.times.start();
  query_.start(query, plan);
  counters.times.lap(Stage::enter);
  if (segment_.info.n > 0) {
    if (plan.stop) {
      scan_until_stop(counters);
    } else {
      scan_probes(counters);
      if (plan.fills && !query_.top.full()) fill(counters);
    }
  }
  query_.write_answers(distances, rows);
  counters.times.lap(Stage::rest);
}

void Searcher::scan_probes(SearchCounters& counters) {
  router_.route({query_.scan, query_.centroids}, query_.plan.nprobe, probes_, counters);
  for (const Probe& probe : probes_) query_.meet(probe);
  for (const Probe& probe : probes_) scanner_.scan(probe, query_, counters);
}

// Starts again, and stops as soon as there are k answers.
void Searcher::fill(SearchCounters& counters) {
  query_.restart();
  query_.plan.nprobe = segment_.info.nlist;
  query_.plan.stop = kInfinity;
  scan_until_stop(counters);
}

void Searcher::scan_until_stop(SearchCounters& counters) {
  const SearchPlan& plan = query_.plan;
  const TopK& top = query_.top;
  const StopScale scale(segment_.metric(), query_.slope, query_.offset, segment_.info.typical_norm);
  const std::size_t most = std::min<std::size_t>(plan.nprobe, segment_.info.nlist);
  const std::uint64_t before = counters.entries;
  std::size_t fell = 0;  // after how many lists the k-th distance fell last
  router_.start({query_.scan, query_.centroids}, counters);
  for (std::size_t lists = 1, check = 1; lists <= most; ++lists) {
    const float kth = top.threshold();
    const Probe probe = router_.next(counters);
    query_.meet(probe);
    scanner_.scan(probe, query_, counters);
    if (top.threshold() < kth) fell = lists;
    if (lists < check && lists < most) continue;
    check = next_check(lists);
    const float now = score(lists, lists - fell, scale);
    if (plan.observer != nullptr) {
      plan.observer->check({lists, counters.entries - before, now, top.answers()});
    }
    if (now < *plan.stop) return;
    counters.times.lap(Stage::rest);
  }
}

float Searcher::score(std::size_t lists, std::size_t last, const StopScale& scale) const {
  if (lists < kFirstStop || !query_.top.full()) return kInfinity;
  const float next = scale.key(router_.mean_key_ahead(lists_ahead(lists)));
  return stop_score({lists, last, next, scale.distance(query_.top.threshold())});
}

}  // namespace obliq
