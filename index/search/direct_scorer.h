// Scores the rows that may be answers one by one, without looking at lists: where they are few.
#pragma once

#include <span>

#include "index/search/active_query.h"
#include "index/search/router.h"
#include "index/search/row_refiner.h"
#include "index/search/row_scorer.h"
#include "index/segment/segment_set.h"

namespace obliq {

/// One for an index; threads share it, each with a RefineScratch of its own.
class DirectScorer {
 public:
  /// The router outlives this.
  explicit DirectScorer(const Router& router);

  /// Brings all rows that pass the query's filter to it, by exact distances where there is a raw
  /// tier. Requires rows that are few (row_filter.h).
  void score(ActiveQuery& query, RefineScratch& scratch, SearchCounters& counters) const;

 private:
  void score_segment(std::size_t segment, ActiveQuery& query, RefineScratch& scratch,
                     SearchCounters& counters) const;
  void fetch(const Segment& segment, std::span<const AllowedRow> rows) const;
  void offer(std::size_t segment, ActiveQuery& query, RefineScratch& scratch,
             SearchCounters& counters) const;

  const SegmentSet& set_;
  const TrainedModel& model_;
  const Router& router_;
  const RowScorer scorer_;
};

}  // namespace obliq
