#include "index/router.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "index/coder.h"
#include "index/prefetch.h"
#include "index/rough_quantile.h"
#include "index/stop_rule.h"
#include "quant/kernels/dispatch.h"

namespace obliq {
namespace {

constexpr std::size_t kPoolFactor = 3;  // lists re-ranked for each list probed
constexpr std::size_t kPoolExtra = 24;
constexpr std::size_t kSample = 256;     // keys that set the pool's threshold
constexpr std::size_t kOrderFactor = 2;  // the same where lists are handed out one by one
constexpr std::size_t kOrderExtra = 40;
constexpr std::size_t kFirstTrusted = 16;  // lists ranked at first by start()
constexpr std::size_t kTrustedFactor = 3;  // growth of that number
constexpr std::size_t kFetchAhead = 4;     // centroids prefetched before their use

float key_term(Metric metric, float weight, float mean_r2) {
  return metric == Metric::ip ? -0.5F * (1 - weight) * mean_r2 : weight * mean_r2;
}

}  // namespace

RouterCopies code_centroids(const Segment& segment) {
  const std::size_t dim = segment.dim();
  const std::size_t nlist = segment.info.nlist;
  const RowShape shape = segment.router_row_shape;
  RouterCopies copies;
  std::vector<CodedNumbers> numbers(nlist);
  std::vector<std::uint8_t> signs(nlist * plane_bytes(dim));
  copies.rows.resize(nlist * shape.bytes());
  Coder coder(*segment.router_quantizer, segment.metric());
  for (std::size_t l = 0; l < nlist; ++l) {
    coder.add({segment.centroid(l), nullptr, signs.data() + l * plane_bytes(dim),
               copies.rows.data() + l * shape.bytes(), &numbers[l]});
  }
  coder.flush();
  for (std::size_t l = 0; l < nlist; ++l) {
    const float term =
        key_term(segment.metric(), segment.info.list_weight, segment.lists[l].mean_r2);
    numbers[l].a += term;
    numbers[l].bracket += term;
  }
  choose_units(numbers, {}, copies.record);
  copies.record.count = static_cast<std::uint32_t>(nlist);
  copies.blocks.resize((nlist + kBlockEntries - 1) / kBlockEntries * block_bytes(dim));
  for (std::size_t l = 0; l < nlist; ++l) {
    write_entry(signs.data() + l * plane_bytes(dim), numbers[l], copies.record,
                static_cast<std::uint32_t>(l), dim, l, copies.blocks.data());
    write_factors(shape, numbers[l], copies.record, copies.rows.data() + l * shape.bytes());
  }
  return copies;
}

Router::Router(const Segment& segment)
    : segment_(segment),
      scorer_(segment.router_quantizer->make_scorer()),
      entries_(segment.info.nlist + kBlockEntries),
      keys_(segment.info.nlist + kBlockEntries) {}

void Router::scan_signs(const ScanQuery& scan, SearchCounters& counters) {
  ScanList list = scan_list(segment_.info.router, segment_.router_blocks.data(), segment_.dim(),
                            0.0F, 1.0F, product_weight(segment_.metric()));
  scan.set_shift(0, 0, list);
  kernels().scan(scan.lut(), segment_.dim(), list, std::numeric_limits<float>::infinity(),
                 entries_.data(), keys_.data());
  counters.signs += segment_.info.nlist;
  counters.times.lap(Stage::signs);
}

void Router::select_pool(std::size_t size) {
  const std::size_t nlist = segment_.info.nlist;
  const std::size_t stride = std::max<std::size_t>(1, nlist / kSample);
  sample_.clear();
  for (std::size_t l = 0; l < nlist; l += stride) sample_.push_back(keys_[l]);
  // A little beyond the quantile, so that the pool is rarely short.
  const std::size_t rank = std::min(sample_.size(), size * sample_.size() / nlist * 9 / 8 + 4);
  pool_.resize(nlist);
  const auto collect = [&](float threshold) {
    std::size_t found = 0;
    for (std::size_t l = 0; l < nlist; ++l) {
      pool_[found] = static_cast<std::uint32_t>(l);
      found += keys_[l] <= threshold ? 1 : 0;
    }
    return found;
  };
  std::size_t found = collect(rough_quantile(sample_, rank));
  if (found < size) {
    found = collect(rough_quantile({keys_.data(), nlist}, size));
  }
  pool_.resize(found);
}

// Fills ranked_ with the int8 keys of the pool. Requires the scorer to hold the query.
void Router::rank_pool(SearchCounters& counters) {
  const RowShape& shape = segment_.router_row_shape;
  const ListRecord& record = segment_.info.router;
  const float weight = product_weight(segment_.metric());
  refs_.resize(pool_.size());
  products_.resize(pool_.size());
  ranked_.resize(pool_.size());
  const auto row_at = [&](std::size_t i) {
    return segment_.router_rows.data() + pool_[i] * shape.bytes();
  };
  for (std::size_t i = 0; i < pool_.size(); ++i) {
    if (i + kFetchAhead < pool_.size()) prefetch(row_at(i + kFetchAhead), shape.bytes());
    const std::uint8_t* row = row_at(i);
    refs_[i] = {nullptr, row, read_factors(shape, row, record.scale)};
  }
  scorer_->products(refs_, products_.data());
  for (std::size_t i = 0; i < pool_.size(); ++i) {
    const float bracket = read_bracket(shape, refs_[i].rest, record.a_scale);
    ranked_[i] = {bracket - weight * products_[i], pool_[i]};
  }
  counters.ranked += pool_.size();
}

void Router::rerank_pool(const float* query, std::size_t keep, SearchCounters& counters) {
  scorer_->set_query(query);
  rank_pool(counters);
  keep = std::min(keep, ranked_.size());
  std::nth_element(ranked_.begin(), ranked_.begin() + static_cast<std::ptrdiff_t>(keep - 1),
                   ranked_.end());
  pool_.resize(keep);
  for (std::size_t i = 0; i < keep; ++i) pool_[i] = ranked_[i].second;
}

void Router::start(const float* query, const ScanQuery& scan, SearchCounters& counters) {
  query_ = query;
  scan_signs(scan, counters);
  scorer_->set_query(query);
  order_.clear();
  in_order_.assign(segment_.info.nlist, false);
  taken_ = 0;
  trusted_ = 0;
  extend(counters);
}

void Router::extend(SearchCounters& counters) {
  const std::size_t nlist = segment_.info.nlist;
  trusted_ = std::min(trusted_ == 0 ? kFirstTrusted : kTrustedFactor * trusted_, nlist);
  select_pool(std::min(kOrderFactor * trusted_ + kOrderExtra, nlist));
  std::erase_if(pool_, [&](std::uint32_t list) { return in_order_[list]; });
  rank_pool(counters);
  for (const std::uint32_t list : pool_) in_order_[list] = true;
  order_.insert(order_.end(), ranked_.begin(), ranked_.end());
  sorted_ = std::min(trusted_ + lists_ahead(trusted_), order_.size());
  const auto begin = order_.begin() + static_cast<std::ptrdiff_t>(taken_);
  const auto end = order_.begin() + static_cast<std::ptrdiff_t>(sorted_);
  std::nth_element(begin, end, order_.end());
  std::sort(begin, end);
  counters.times.lap(Stage::ranks);
}

Probe Router::next(SearchCounters& counters) {
  if (taken_ == trusted_) extend(counters);
  const std::size_t after = taken_ + 2;
  if (after < order_.size()) {
    prefetch(segment_.centroid(order_[after].second), segment_.dim() * sizeof(float));
  }
  const Probe probe = exact(query_, order_[taken_++].second);
  ++counters.centroids;
  counters.times.lap(Stage::exact);
  return probe;
}

float Router::mean_key_ahead(std::size_t count) const {
  count = std::min(count, sorted_ - taken_);
  if (count == 0) return std::numeric_limits<float>::infinity();
  float sum = 0;
  for (std::size_t i = taken_; i < taken_ + count; ++i) sum += order_[i].first;
  return sum / static_cast<float>(count);
}

Probe Router::exact(const float* query, std::uint32_t list) const {
  const std::size_t dim = segment_.dim();
  const float* c = segment_.centroid(list);
  Probe probe = {0, list, 0, kernels().l2_sqr(query, c, dim)};
  probe.base = segment_.metric() == Metric::ip ? -kernels().dot(query, c, dim) : probe.distance2;
  probe.key = probe.base +
              key_term(segment_.metric(), segment_.info.list_weight, segment_.lists[list].mean_r2);
  return probe;
}

void Router::route(const float* query, const ScanQuery& scan, std::size_t nprobe,
                   std::vector<Probe>& probes, SearchCounters& counters) {
  const std::size_t nlist = segment_.info.nlist;
  const std::size_t pool = kPoolFactor * nprobe + kPoolExtra;
  if (nprobe >= nlist) {
    pool_.resize(nlist);
    std::iota(pool_.begin(), pool_.end(), 0U);
  } else {
    scan_signs(scan, counters);
    select_pool(std::min(pool, nlist));
    rerank_pool(query, nprobe, counters);
    counters.times.lap(Stage::ranks);
  }
  probes.clear();
  for (std::size_t i = 0; i < pool_.size(); ++i) {
    if (i + kFetchAhead < pool_.size()) {
      prefetch(segment_.centroid(pool_[i + kFetchAhead]), segment_.dim() * sizeof(float));
    }
    probes.push_back(exact(query, pool_[i]));
  }
  std::sort(probes.begin(), probes.end(), [](const Probe& a, const Probe& b) {
    return a.key != b.key ? a.key < b.key : a.list < b.list;
  });
  counters.centroids += probes.size();
  counters.times.lap(Stage::exact);
}

}  // namespace obliq
