// The router finds the lists to probe. It ranks lists by
//
//     l2, cosine   |q-c|^2 + w * mean |r|^2
//     ip           -<q,c>  - (1-w)/2 * mean |r|^2      (the same order on unit vectors)
//
// because a wide list holds near neighbours more often than its centroid's distance tells (w is
// learnt, list_weight.h). It scans the signs of all centroids or, where there are many, of those in
// the nearest groups (list_groups.h), then takes the products of the query with the codes of a pool
// of them (centroid_code.h). Only where centroids have a fine part are those that are probed
// measured once more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "index/search/near_groups.h"
#include "index/search/probe_sorter.h"
#include "index/search/scan_query.h"
#include "index/segment/centroid_code.h"
#include "index/segment/segment.h"

namespace obliq {

/// What a router knows of a query after the transform.
struct RouteQuery {
  const ScanQuery& scan;
  const CentroidQuery& centroids;
};

/// How far a query is in the order of all lists.
struct RouteOrder {
  std::vector<Probe> ranked;    ///< so far
  std::vector<bool> is_ranked;  ///< of each list
  std::size_t taken = 0;
  std::size_t sorted = 0;   ///< ranked is sorted from taken to here, and less than behind
  std::size_t trusted = 0;  ///< how many of ranked have no better list outside
};

/// Routes one query at a time. One for each thread.
class Router {
 public:
  explicit Router(const Segment& segment);

  /// Writes the min(nprobe, nlist) lists to probe: the `leading` best in order, then the others by
  /// their number.
  void route(const RouteQuery& query, std::size_t nprobe, std::size_t leading,
             std::vector<Probe>& probes, SearchCounters& counters);

  /// What route() writes for a list.
  Probe probe(const CentroidQuery& query, std::uint32_t list) const;

  /// Starts to hand out all lists one by one, best first. It ranks 16 lists, then 32, 64 and so
  /// on, when they are asked for. Query and order must live until the last next().
  void start(const RouteQuery& query, RouteOrder& order, SearchCounters& counters);
  /// Goes on where a query was left for others. The signs are scanned again when more lists are to
  /// be ranked.
  void resume(const RouteQuery& query, RouteOrder& order);
  /// The next list. Requires that fewer than nlist have been taken since start().
  Probe next(SearchCounters& counters);
  /// The mean key of the `count` lists that come next, or of as many as are ranked: more than
  /// next() trusts. +infinity when none is left.
  float mean_key_ahead(std::size_t count) const;

 private:
  void scan_signs(const RouteQuery& query, std::size_t lists, SearchCounters& counters);
  void select_pool(std::size_t size);
  void rank_pool(const CentroidQuery& query, SearchCounters& counters);
  void keep_best(std::size_t nprobe, std::size_t leading, std::vector<Probe>& probes);
  void extend(SearchCounters& counters);
  Probe made_of(const CentroidDistance& distance, std::uint32_t list) const;

  const Segment& segment_;
  const float weight_;  ///< of <x^,q> in a distance
  NearGroups groups_;
  std::span<const ListRange> ranges_;  ///< lists whose signs were scanned
  std::size_t scanned_ = 0;            ///< how many those are
  std::vector<std::uint32_t> entries_;
  std::vector<float> keys_;  ///< of those lists
  std::vector<float> sample_;
  std::vector<std::uint32_t> pool_;
  std::vector<Probe> ranked_;
  std::vector<Probe> sorted_;
  ProbeSorter sorter_;

  // Between start() and the last next().
  const CentroidQuery* query_ = nullptr;
  const ScanQuery* scan_ = nullptr;
  RouteOrder* order_ = nullptr;
  std::size_t looked_at_ = 0;  ///< lists asked for when keys_ became the query's; 0: they are not
};

}  // namespace obliq
