// The router finds the lists to probe. It ranks lists by
//
//     l2, cosine   |q-c|^2 + w * mean |r|^2
//     ip           -<q,c>  - (1-w)/2 * mean |r|^2      (the same order on unit vectors)
//
// because a wide list holds near neighbours more often than its centroid's distance tells (w near
// .5). It reads three copies of the centroids: signs of all, int8 rows of a pool, floats of those
// that are probed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "index/scan_query.h"
#include "index/segment.h"

namespace obliq {

/// A list to probe.
struct Probe {
  float key;  ///< rank, smaller first
  std::uint32_t list;
  float base;       ///< |q-c|^2, or -<q,c> for ip; exact
  float distance2;  ///< |q-c|^2
};

/// What a router reads, made from centroids and list records.
struct RouterCopies {
  ListRecord record;
  std::vector<std::uint8_t> blocks;
  std::vector<std::uint8_t> rows;
};

/// Codes the centroids. Uses segment's info, centroids, lists (for mean |r|^2) and quantizers.
RouterCopies code_centroids(const Segment& segment);

/// Routes one query at a time. One for each thread.
class Router {
 public:
  explicit Router(const Segment& segment);

  /// Writes the min(nprobe, nlist) lists to probe, best first. `scan` holds the same query.
  void route(const float* query, const ScanQuery& scan, std::size_t nprobe,
             std::vector<Probe>& probes, SearchCounters& counters);

  /// What route() writes for a list.
  Probe exact(const float* query, std::uint32_t list) const;

  /// Starts to hand out all lists one by one, best first by the int8 rows. It ranks 16 lists, then
  /// 48, 144 and so on, when they are asked for.
  void start(const float* query, const ScanQuery& scan, SearchCounters& counters);
  /// The next list. Requires that fewer than nlist have been taken since start().
  Probe next(SearchCounters& counters);
  /// The mean key of the `count` lists that come next, or of as many as are ranked: more than
  /// next() trusts. +infinity when none is left. l2 and cosine: without |q|^2.
  float mean_key_ahead(std::size_t count) const;

 private:
  void scan_signs(const ScanQuery& scan, SearchCounters& counters);
  void select_pool(std::size_t size);
  void rank_pool(SearchCounters& counters);
  void rerank_pool(const float* query, std::size_t keep, SearchCounters& counters);
  void extend(SearchCounters& counters);

  const Segment& segment_;
  std::unique_ptr<Scorer> scorer_;
  std::vector<std::uint32_t> entries_;
  std::vector<float> keys_;
  std::vector<float> sample_;
  std::vector<std::uint32_t> pool_;
  std::vector<CodeRef> refs_;
  std::vector<float> products_;
  std::vector<std::pair<float, std::uint32_t>> ranked_;

  // Between start() and the last next().
  const float* query_ = nullptr;
  std::vector<std::pair<float, std::uint32_t>> order_;  ///< ranked so far
  std::vector<bool> in_order_;                          ///< of each list
  std::size_t taken_ = 0;
  std::size_t sorted_ = 0;   ///< order_ is sorted from taken_ to here, and less than behind
  std::size_t trusted_ = 0;  ///< how many of order_ have no better list outside
};

}  // namespace obliq
