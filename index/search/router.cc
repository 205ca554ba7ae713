#include "index/search/router.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/kernels/dispatch.h"
#include "core/prefetch.h"
#include "core/rough_quantile.h"
#include "index/search/stop_rule.h"
#include "index/segment/entry_format.h"
#include "index/segment/list_key.h"

namespace obliq {
namespace {

constexpr std::size_t kPoolFactor = 2;  // lists ranked by codes for each list probed
constexpr std::size_t kPoolExtra = 24;
constexpr std::size_t kSample = 256;       // keys that set the pool's threshold
constexpr std::size_t kOrderExtra = 32;    // beyond 3/2 of those handed out one by one
constexpr std::size_t kFirstTrusted = 16;  // lists ranked at first by start()
constexpr std::size_t kTrustedFactor = 2;  // growth of that number
constexpr std::size_t kFetchAhead = 4;     // centroids prefetched before their use

}  // namespace

Router::Router(const Segment& segment)
    : segment_(segment),
      weight_(product_weight(segment.metric())),
      groups_(segment),
      entries_(segment.info.nlist + kBlockEntries),
      keys_(segment.info.nlist + kBlockEntries) {}

// Those of the nearest groups with so many lists.
void Router::scan_signs(const RouteQuery& query, std::size_t lists, SearchCounters& counters) {
  ranges_ = groups_.find(query.centroids, lists, counters);
  scanned_ = 0;
  ListRecord record = segment_.info.router;
  for (const ListRange& range : ranges_) {
    record.first = range.first;
    record.count = range.count;
    ScanList list =
        scan_list(record, segment_.router_blocks.data(), segment_.dim(), 0.0F, 1.0F, weight_);
    query.scan.set_shift(0, 0, list);
    kernels().scan(query.scan.lut(), segment_.dim(), list, std::numeric_limits<float>::infinity(),
                   entries_.data(), keys_.data() + scanned_);
    scanned_ += range.count;
  }
  counters.signs += scanned_;
  counters.times.lap(Stage::signs);
}

// In the order of list numbers.
void Router::select_pool(std::size_t size) {
  const std::size_t stride = std::max<std::size_t>(1, scanned_ / kSample);
  sample_.resize((scanned_ + stride - 1) / stride);
  for (std::size_t i = 0; i < sample_.size(); ++i) sample_[i] = keys_[i * stride];
  // A little beyond the quantile, so that the pool is rarely short; where few of all lists were
  // scanned, by as many lists as if all were, since their signs rank them no better.
  const std::size_t enough = size * 9 / 8 + std::max<std::size_t>(4, segment_.info.nlist / 64);
  const std::size_t rank = std::min(sample_.size(), enough * sample_.size() / scanned_);
  const auto collect = [&](float limit) {
    return kernels().select_below(keys_.data(), scanned_, limit, entries_.data());
  };
  std::size_t found = collect(rough_quantile(sample_, rank));
  if (found < size) found = collect(rough_quantile({keys_.data(), scanned_}, size));
  pool_.assign(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(found));
  std::size_t before = 0;  // keys of the ranges before this one
  const ListRange* range = ranges_.data();
  for (std::uint32_t& list : pool_) {
    for (; list >= before + range->count; ++range) before += range->count;
    list += range->first - static_cast<std::uint32_t>(before);
  }
}

Probe Router::made_of(const CentroidDistance& distance, std::uint32_t list) const {
  const float base = segment_.metric() == Metric::ip ? -distance.product : distance.distance2;
  const float term =
      radius_term(segment_.metric(), segment_.info.list_weight, segment_.lists[list].mean_r2);
  const float key = base + term;
  // What overflows, in a damaged file, must not upset the sorting.
  return {std::isnan(key) ? std::numeric_limits<float>::infinity() : key, list, base,
          distance.distance2};
}

Probe Router::probe(const CentroidQuery& query, std::uint32_t list) const {
  return made_of(query.exact(segment_, list), list);
}

void Router::rank_pool(const CentroidQuery& query, SearchCounters& counters) {
  ranked_.resize(pool_.size());
  for (std::size_t i = 0; i < pool_.size(); ++i) {
    if (i + kFetchAhead < pool_.size()) {
      const std::uint32_t ahead = pool_[i + kFetchAhead];
      prefetch(segment_.centroid(ahead), segment_.dim());
      prefetch(&segment_.lists[ahead], sizeof(ListRecord));
    }
    ranked_[i] = made_of(query.by_levels(segment_, pool_[i]), pool_[i]);
  }
  counters.ranked += pool_.size();
}

void Router::start(const RouteQuery& query, RouteOrder& order, SearchCounters& counters) {
  resume(query, order);
  order.ranked.clear();
  order.is_ranked.assign(segment_.info.nlist, false);
  order.taken = 0;
  order.trusted = 0;
  extend(counters);
}

void Router::resume(const RouteQuery& query, RouteOrder& order) {
  query_ = &query.centroids;
  scan_ = &query.scan;
  order_ = &order;
  looked_at_ = 0;
}

void Router::extend(SearchCounters& counters) {
  const std::size_t nlist = segment_.info.nlist;
  auto& [ranked, is_ranked, taken, sorted, trusted] = *order_;
  trusted = std::min(trusted == 0 ? kFirstTrusted : kTrustedFactor * trusted, nlist);
  const std::size_t pool = std::min(trusted + trusted / 2 + kOrderExtra, nlist);
  const std::size_t lists = lists_to_look_at(segment_, pool);
  if (lists > looked_at_) scan_signs({*scan_, *query_}, lists, counters);
  looked_at_ = lists;
  select_pool(pool);
  std::erase_if(pool_, [&](std::uint32_t list) { return order_->is_ranked[list]; });
  rank_pool(*query_, counters);
  for (const std::uint32_t list : pool_) is_ranked[list] = true;
  ranked.insert(ranked.end(), ranked_.begin(), ranked_.end());
  sorted = std::min(trusted + lists_ahead(trusted), ranked.size());
  sorter_.sort(std::span(ranked).subspan(taken), sorted - taken);
  counters.times.lap(Stage::ranks);
}

Probe Router::next(SearchCounters& counters) {
  if (order_->taken == order_->trusted) extend(counters);
  const Probe& ranked = order_->ranked[order_->taken++];
  return segment_.centroid_fine.empty() ? ranked : probe(*query_, ranked.list);
}

float Router::mean_key_ahead(std::size_t count) const {
  const RouteOrder& order = *order_;
  count = std::min(count, order.sorted - order.taken);
  if (count == 0) return std::numeric_limits<float>::infinity();
  float sum = 0;
  for (std::size_t i = order.taken; i < order.taken + count; ++i) sum += order.ranked[i].key;
  return sum / static_cast<float>(count);
}

// Of ranked_, which is in the order of list numbers.
void Router::keep_best(std::size_t nprobe, std::size_t leading, std::vector<Probe>& probes) {
  leading = std::min(leading, nprobe);
  sorted_ = ranked_;
  sorter_.sort(sorted_, nprobe);
  probes.resize(nprobe + 1);  // one more, written but not kept
  Probe* out = std::copy_n(sorted_.begin(), leading, probes.data());
  const Probe& lead = sorted_[leading - 1];
  const Probe& last = sorted_[nprobe - 1];
  for (const Probe& probe : ranked_) {
    *out = probe;
    out += static_cast<std::ptrdiff_t>(Before{}(lead, probe) && !Before{}(last, probe));
  }
  probes.resize(nprobe);
}

void Router::route(const RouteQuery& query, std::size_t nprobe, std::size_t leading,
                   std::vector<Probe>& probes, SearchCounters& counters) {
  const std::size_t nlist = segment_.info.nlist;
  nprobe = std::min(nprobe, nlist);
  if (nprobe == nlist) {
    pool_.resize(nlist);
    std::iota(pool_.begin(), pool_.end(), 0U);
  } else {
    const std::size_t pool = std::min(kPoolFactor * nprobe + kPoolExtra, nlist);
    scan_signs(query, lists_to_look_at(segment_, pool), counters);
    select_pool(pool);
  }
  rank_pool(query.centroids, counters);
  keep_best(nprobe, leading, probes);
  if (!segment_.centroid_fine.empty()) {
    for (Probe& ranked : probes) ranked = probe(query.centroids, ranked.list);
  }
  counters.times.lap(Stage::ranks);
}

}  // namespace obliq
