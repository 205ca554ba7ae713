// The router finds the lists to probe, in the order of their keys (segment/list_key.h). It scans
// the signs of all centroids or, where there are many, of those in the nearest groups
// (near_groups.h), then measures a pool of them by their codes or, of far lists, their points
// (centroid_code.h). A list without entries in any segment is never handed out; else lists and
// their order follow from the model, but for the few that a pool misses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "index/search/list_cursor.h"
#include "index/search/near_groups.h"
#include "index/search/prepared_query.h"
#include "index/segment/segment_set.h"

namespace obliq {

/// One for an index; threads share it, each with a RouteScratch of its own.
class Router {
 public:
  /// The set outlives this.
  explicit Router(const SegmentSet& set);

  const SegmentSet& set() const { return set_; }
  const TrainedModel& model() const { return model_; }

  /// Writes the lists to probe, nprobe of those with entries or all of them: the `leading` best in
  /// order, then the others by their number.
  void route(const PreparedQuery& query, std::size_t nprobe, std::size_t leading,
             RouteScratch& scratch, std::vector<Probe>& probes, SearchCounters& counters) const;

  /// What route() writes for a list.
  Probe probe(const CentroidQuery& query, std::uint32_t list) const;

  /// Sets a cursor before the best of all lists, of which about `expected` will be asked for; 0:
  /// unknown.
  void begin(ListCursor& cursor, RouteScratch& scratch, std::size_t expected = 0) const;
  /// Moves a cursor behind the next list and returns that. Ranks 16 lists at first, or up to 256
  /// where many are expected, then twice as many and so on,
  /// when they are asked for. Requires that fewer have been taken than have entries. The scratch
  /// keeps the keys of the query for the next call; when other queries come between they are made
  /// again.
  Probe next(const PreparedQuery& query, ListCursor& cursor, RouteScratch& scratch,
             SearchCounters& counters) const;

 private:
  void scan_for(std::size_t lists, std::size_t pool, const PreparedQuery& query,
                RouteScratch& scratch, SearchCounters& counters) const;
  std::size_t keep_filled(const ListRun& range, SignKeys& signs) const;
  void scan_signs(const PreparedQuery& query, std::size_t lists, RouteScratch& scratch,
                  SearchCounters& counters) const;
  std::size_t pool_of(std::size_t lists) const;
  void select_pool(std::size_t size, RouteScratch& scratch) const;
  void rank_pool(const CentroidQuery& query, RouteScratch& scratch, SearchCounters& counters) const;
  void extend(const PreparedQuery& query, ListCursor& cursor, RouteScratch& scratch,
              SearchCounters& counters) const;
  Probe made_of(const CentroidDistance& distance, std::uint32_t list) const;

  const SegmentSet& set_;
  const TrainedModel& model_;
  const float weight_;  ///< of <x^,q> in a distance
  const NearGroups groups_;
};

}  // namespace obliq
