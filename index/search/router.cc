// Keys by signs are cheap and rough, so a pool of some twice the lists that are wanted is taken
// from them, and the pool is ranked by the centroids' int8 codes. Lists that are handed out one by
// one are ranked in rounds, each of twice as many as the one before.
#include "index/search/router.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/kernels/dispatch.h"
#include "core/prefetch.h"
#include "core/select_least.h"
#include "index/search/stop_rule.h"
#include "index/segment/entry_format.h"
#include "index/segment/list_key.h"

namespace obliq {
namespace {

// Lists ranked by codes: kPoolFactor for each one wanted, kPoolExtra more, and of all lists the
// share kPoolAngle / sqrt(dim), at most kMostWithin. With 1.75 and 1 in the place of the first two
// the sentences lose .0002 of recall and 2 % of the time; without the share generated-128-l2 (d =
// 128, 4,096 lists) loses .0046 at target .9. Both were measured from 128 dims on only.
constexpr std::size_t kPoolFactor = 2;
constexpr std::size_t kPoolExtra = 16;
constexpr double kPoolAngle = .2;
constexpr double kMostWithin = 1.0 / 16;
constexpr std::size_t kFirstTrusted = 16;  // lists ranked at first, at least,
constexpr std::size_t kMostFirst = 256;    // at most,
constexpr std::size_t kFirstShare = 4;     // and one in so many of those expected
constexpr std::size_t kTrustedFactor = 2;  // growth of that number
constexpr std::size_t kFetchAhead = 4;     // centroids prefetched before their use

// From `ranked`, which is in the order of list numbers.
void keep_best(std::size_t nprobe, std::size_t leading, RouteScratch& scratch,
               std::vector<Probe>& probes) {
  leading = std::min(leading, nprobe);
  scratch.sorted = scratch.ranked;
  scratch.sorter.sort(scratch.sorted, nprobe);
  probes.resize(nprobe + 1);  // one more, written but not kept
  Probe* out = std::copy_n(scratch.sorted.begin(), leading, probes.data());
  const Probe& lead = scratch.sorted[leading - 1];
  const Probe& last = scratch.sorted[nprobe - 1];
  for (const Probe& probe : scratch.ranked) {
    *out = probe;
    out += static_cast<std::ptrdiff_t>(Before{}(lead, probe) && !Before{}(last, probe));
  }
  probes.resize(nprobe);
}

}  // namespace

Router::Router(const SegmentSet& set)
    : set_(set), model_(set.model()), weight_(product_weight(model_.metric())), groups_(model_) {}

// Keys of enough lists to find the best `lists` among, and to choose `pool` from, which there must
// be.
void Router::scan_for(std::size_t lists, std::size_t pool, const PreparedQuery& query,
                      RouteScratch& scratch, SearchCounters& counters) const {
  scan_signs(query, lists_to_look_at(model_, lists), scratch, counters);
  if (scratch.signs.count < pool) scan_signs(query, model_.nlist(), scratch, counters);
}

// Those of the nearest groups that hold `lists` lists.
void Router::scan_signs(const PreparedQuery& query, std::size_t lists, RouteScratch& scratch,
                        SearchCounters& counters) const {
  SignKeys& signs = scratch.signs;
  const bool packs = set_.filled() < model_.nlist();
  const std::size_t room = model_.nlist() + kBlockEntries;
  signs.keys.resize(room);
  signs.lists.resize(packs ? room : 0);
  scratch.entries.resize(room);
  groups_.find(query.centroids(), lists, scratch.groups, signs.ranges, counters);
  signs.count = 0;
  ListRecord record = model_.router;
  for (const ListRun& range : signs.ranges) {
    record.first = range.first;
    record.count = range.count;
    ScanList list =
        scan_list(record, model_.router_blocks.data(), model_.dim(), 0.0F, 1.0F, weight_);
    query.scan().set_shift(0, 0, list);
    kernels().scan(query.scan().lut(), model_.dim(), list, std::numeric_limits<float>::infinity(),
                   scratch.entries.data(), signs.keys.data() + signs.count);
    signs.count += packs ? keep_filled(range, signs) : range.count;
  }
  counters.signs += signs.count;
  counters.times.lap(Stage::signs);
}

// Of the keys of a range, which lie behind all others, keeps those of lists that have entries.
// Returns their number.
std::size_t Router::keep_filled(const ListRun& range, SignKeys& signs) const {
  const float* keys = signs.keys.data() + signs.count;
  std::size_t kept = signs.count;
  for (std::uint32_t i = 0; i < range.count; ++i) {
    signs.keys[kept] = keys[i];
    signs.lists[kept] = range.first + i;
    kept += set_.is_filled(range.first + i) ? 1 : 0;
  }
  return kept - signs.count;
}

// How many lists to rank by their codes so that few of the best `lists` are missed. A key by signs
// is off by an angle of the order of 1 / sqrt(dim); the more lists, the more lie within it.
std::size_t Router::pool_of(std::size_t lists) const {
  const std::size_t filled = set_.filled();
  const double angle = kPoolAngle / std::sqrt(static_cast<double>(model_.dim()));
  const double within = static_cast<double>(filled) * std::min(angle, kMostWithin);
  return std::min(kPoolFactor * lists + kPoolExtra + static_cast<std::size_t>(within), filled);
}

// In the order of list numbers.
void Router::select_pool(std::size_t size, RouteScratch& scratch) const {
  const SignKeys& signs = scratch.signs;
  const std::size_t found =
      select_least({signs.keys.data(), signs.count}, size, scratch.entries.data());
  scratch.pool.assign(scratch.entries.begin(),
                      scratch.entries.begin() + static_cast<std::ptrdiff_t>(found));
  if (!signs.lists.empty()) {
    for (std::uint32_t& list : scratch.pool) list = signs.lists[list];
    return;
  }
  std::size_t before = 0;  // keys of the ranges before this one
  const ListRun* range = signs.ranges.data();
  for (std::uint32_t& list : scratch.pool) {
    for (; list >= before + range->count; ++range) before += range->count;
    list += range->first - static_cast<std::uint32_t>(before);
  }
}

Probe Router::made_of(const CentroidDistance& distance, std::uint32_t list) const {
  const float base = model_.metric() == Metric::ip ? -distance.product : distance.distance2;
  const float term =
      radius_term(model_.metric(), model_.info.list_weight, model_.lists[list].mean_r2);
  const float key = base + term;
  // What overflows, in a damaged file, must not upset the sorting.
  return {std::isnan(key) ? std::numeric_limits<float>::infinity() : key, list, base,
          distance.distance2};
}

Probe Router::probe(const CentroidQuery& query, std::uint32_t list) const {
  return made_of(query.distance(model_, list), list);
}

void Router::rank_pool(const CentroidQuery& query, RouteScratch& scratch,
                       SearchCounters& counters) const {
  const std::vector<std::uint32_t>& pool = scratch.pool;
  scratch.ranked.resize(pool.size());
  for (std::size_t i = 0; i < pool.size(); ++i) {
    if (i + kFetchAhead < pool.size()) {
      const std::uint32_t ahead = pool[i + kFetchAhead];
      if (model_.far_point(ahead) == nullptr) {
        prefetch(model_.centroid(ahead), model_.dim());
      } else {
        prefetch(model_.far_point(ahead), model_.dim() * sizeof(float));
      }
      prefetch(&model_.lists[ahead], sizeof(ListPoint));
    }
    scratch.ranked[i] = probe(query, pool[i]);
  }
  counters.ranked += pool.size();
}

void Router::begin(ListCursor& cursor, RouteScratch& scratch, std::size_t expected) const {
  cursor.number = ++scratch.cursors;
  cursor.ranked.clear();
  cursor.is_ranked.assign(model_.nlist(), false);
  cursor.taken = 0;
  cursor.sorted = 0;
  cursor.trusted = 0;
  cursor.first = std::clamp(std::bit_ceil(expected / kFirstShare), kFirstTrusted, kMostFirst);
}

void Router::extend(const PreparedQuery& query, ListCursor& cursor, RouteScratch& scratch,
                    SearchCounters& counters) const {
  const std::size_t filled = set_.filled();
  auto& [ranked, is_ranked, taken, sorted, trusted, first, number] = cursor;
  trusted = std::min(trusted == 0 ? first : kTrustedFactor * trusted, filled);
  const std::size_t pool = pool_of(trusted);
  SignKeys& signs = scratch.signs;
  const std::size_t lists = lists_to_look_at(model_, trusted);
  if (signs.cursor != number || lists > signs.asked || pool > signs.count) {
    scan_for(trusted, pool, query, scratch, counters);
  }
  signs.cursor = number;
  signs.asked = lists;
  select_pool(pool, scratch);
  std::erase_if(scratch.pool, [&](std::uint32_t list) { return cursor.is_ranked[list]; });
  rank_pool(query.centroids(), scratch, counters);
  for (const std::uint32_t list : scratch.pool) is_ranked[list] = true;
  ranked.insert(ranked.end(), scratch.ranked.begin(), scratch.ranked.end());
  sorted = std::min(trusted + lists_ahead(trusted), ranked.size());
  scratch.sorter.sort(std::span(ranked).subspan(taken), sorted - taken);
  counters.times.lap(Stage::ranks);
}

Probe Router::next(const PreparedQuery& query, ListCursor& cursor, RouteScratch& scratch,
                   SearchCounters& counters) const {
  if (cursor.taken == cursor.trusted) extend(query, cursor, scratch, counters);
  return cursor.ranked[cursor.taken++];
}

void Router::route(const PreparedQuery& query, std::size_t nprobe, std::size_t leading,
                   RouteScratch& scratch, std::vector<Probe>& probes,
                   SearchCounters& counters) const {
  nprobe = std::min(nprobe, set_.filled());
  scratch.signs.cursor = 0;
  if (nprobe == set_.filled()) {
    scratch.pool.resize(model_.nlist());
    std::iota(scratch.pool.begin(), scratch.pool.end(), 0U);
    std::erase_if(scratch.pool, [&](std::uint32_t l) { return !set_.is_filled(l); });
  } else {
    const std::size_t pool = pool_of(nprobe);
    scan_for(nprobe, pool, query, scratch, counters);
    select_pool(pool, scratch);
  }
  rank_pool(query.centroids(), scratch, counters);
  keep_best(nprobe, leading, scratch, probes);
  counters.times.lap(Stage::ranks);
}

}  // namespace obliq
