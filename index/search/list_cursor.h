// Where a query stands in the order of all lists, best first. The router makes it (Router::begin)
// and moves it on; each query has its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "index/search/near_groups.h"
#include "index/search/probe_sorter.h"

namespace obliq {

struct ListCursor {
  std::vector<Probe> ranked;    ///< so far
  std::vector<bool> is_ranked;  ///< of each list
  std::size_t taken = 0;
  std::size_t sorted = 0;    ///< ranked is sorted from taken to here, and less than behind
  std::size_t trusted = 0;   ///< how many of ranked have no better list outside
  std::size_t first = 0;     ///< how many it will be once the first are ranked
  std::uint64_t number = 0;  ///< names the query's keys in a RouteScratch

  /// The mean key of the `count` lists that come next, or of as many as are ranked: more than are
  /// trusted. +infinity when none is left.
  float mean_key_ahead(std::size_t count) const;
  /// The next list as it is known now, or null.
  const Probe* likely_next() const { return taken < sorted ? &ranked[taken] : nullptr; }
  std::size_t bytes() const;
};

/// The keys of centroids by their signs, of the query that was routed last.
struct SignKeys {
  std::uint64_t cursor = 0;     ///< ListCursor::number of that query; 0: none
  std::size_t asked = 0;        ///< lists that the scan was to look at
  std::size_t count = 0;        ///< keys
  std::vector<ListRun> ranges;  ///< lists looked at
  std::vector<float> keys;      ///< [count and room for the kernel]
  /// The list of each key, where some lists looked at are empty and have none; else not used: keys
  /// are those of the ranges, in their order.
  std::vector<std::uint32_t> lists;
};

/// Scratch memory of routing. One for each thread; it grows with nlist.
struct RouteScratch {
  std::uint64_t cursors = 0;  ///< begun so far
  SignKeys signs;
  std::vector<std::uint32_t> entries;
  std::vector<std::uint32_t> pool;
  std::vector<Probe> ranked;
  std::vector<Probe> sorted;
  ProbeSorter sorter;
  NearGroupsScratch groups;

  std::size_t bytes() const;  ///< held
};

}  // namespace obliq
