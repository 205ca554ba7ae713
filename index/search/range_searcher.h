// All vectors nearer than a radius: every list that may hold one is scanned, with the radius in the
// place of a k-th distance. A list of which the nearest point of the ball around its centroid that
// holds its vectors is not nearer is left out.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "index/search/searcher.h"

namespace obliq {

/// One for an index; threads share it, each with a SearchScratch of its own.
class RangeSearcher {
 public:
  /// The set outlives this.
  explicit RangeSearcher(const SegmentSet& set);

  /// The answers to a query, distance and slot, nearest first. Of the plan, k is the most answers,
  /// radius what they are below; stop is not used.
  void search(const float* query, const SearchPlan& plan, SearchScratch& scratch,
              std::vector<TopK::Answer>& answers, SearchCounters& counters) const;

 private:
  void choose_lists(ActiveQuery& query) const;
  float nearest_in(const PreparedQuery& query, float norm, std::uint32_t list,
                   const Probe& probe) const;

  const SegmentSet& set_;
  const Router router_;
  const ListScanner scanner_;
  const DirectScorer direct_;
  std::vector<float>
      longest_;  ///< [nlist] the largest |r| of a list's vectors; below 0: it has none
};

}  // namespace obliq
