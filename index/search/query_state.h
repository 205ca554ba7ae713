// What a search knows of one query: its forms, its answers so far and what it has met. The scratch
// of scanning and refining is elsewhere (list_scanner.h), so that many queries may be under way
// with one scanner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "core/prefetch.h"
#include "core/top_k.h"
#include "index/search/list_views.h"
#include "index/search/router.h"
#include "index/search/row_set.h"
#include "index/search/scan_query.h"
#include "index/search/stop_rule.h"
#include "index/segment/centroid_code.h"
#include "index/segment/segment.h"

namespace obliq {

/// Options of a search, checked and resolved.
struct SearchPlan {
  std::size_t k = 10;
  std::size_t nprobe = 16;         ///< with a stop threshold the most lists
  float deviations = 1.8F;         ///< standard deviations of the bounds; +infinity prunes nothing
  std::optional<float> stop = {};  ///< threshold of the stop rule; none: nprobe lists
  bool fills = false;              ///< go on beyond nprobe lists while answers are missing
  StopObserver* observer = nullptr;       ///< watches a search that has a stop threshold
  std::uint32_t excluded = TopK::kNoRow;  ///< no answer
};

/// A list to visit and its place in the order of the router, from 1.
struct RankedProbe {
  Probe probe;
  std::uint32_t rank;
};

struct QueryState {
  explicit QueryState(const Segment& segment);

  /// Takes a query of the space of the base and forgets the one before. A segment without vectors
  /// takes none.
  void start(const float* query, const SearchPlan& plan);
  /// Forgets answers and what was met, and keeps the query.
  void restart();
  /// What the query sees of a list.
  ListView view_of(const Probe& probe) const;
  /// Starts loading this, or once that has come, what else scanning reads of the query.
  void fetch() const { prefetch(this, sizeof *this); }
  void fetch_more() const;
  /// Writes k distances and rows (-1 and +infinity where there are too few), nearest first. Ends
  /// the query.
  void write_answers(float* distances, std::int64_t* rows);

  const Segment& segment;
  SearchPlan plan;
  std::vector<float> raw_query;  ///< in the space of the base, cosine: normalised
  std::vector<float> query;      ///< after the transform
  float slope = 1;               ///< distance = slope * (that after the transform) + offset
  float offset = 0;
  ScanQuery scan;
  CentroidQuery centroids;
  std::unique_ptr<Scorer> scorer;
  TopK top;
  // The lists to visit in order, as far as they are known; and by the stop rule, for each check
  // among them, the mean key of those behind it (Router::mean_key_ahead).
  std::vector<RankedProbe> probes;
  std::vector<float> keys_ahead;
  RouteOrder order;
  // How far the search has come.
  std::size_t lists = 0;          ///< scanned
  std::size_t last_improved = 0;  ///< the last rank whose list made the k-th distance fall, from 1
  std::size_t checks = 0;         ///< of the stop rule
  std::uint64_t entries = 0;      ///< scanned
  // Where vectors are spilled: the lists met, and the rows refined.
  ListViews views;
  RowSet refined;

 private:
  void transform_query(const float* from);
};

}  // namespace obliq
