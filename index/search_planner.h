// From the options of a search to what it is to do, by the tuning of an index.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "index/filter/row_filter.h"
#include "index/search/search_plan.h"
#include "index/segment/segment_set.h"
#include "index/tune/recall_plan.h"
#include "obliq/index.h"

namespace obliq {

/// A plan with what it points to.
struct PlannedSearch {
  SearchPlan plan = {};
  std::shared_ptr<const RowFilter> rows = {};
  std::vector<RareStop> stops = {};
};

/// Throws std::invalid_argument as Index::search, for queries of that many rows.
void check_search(const TrainedModel& model, MatrixView<float> queries,
                  const SearchOptions& options);
/// The same when answers to all queries have more bytes than there can be.
void check_answers(std::size_t queries, std::size_t k);
/// Standard deviations of the bounds of a confidence.
float deviations_of(float confidence);

/// Any number of threads may use it.
class SearchPlanner {
 public:
  /// The set outlives this. `has_changed`: IndexExtent.
  SearchPlanner(const SegmentSet& set, Tuning tuning, bool has_changed);

  /// `rows`: which may be answers, null: all. `passed`: answers that came before, nearer than those
  /// to come. Throws as plan_recall.
  PlannedSearch plan(const SearchOptions& options, std::shared_ptr<const RowFilter> rows,
                     std::size_t passed = 0);
  /// The recall, or what the index reaches at k where that is less.
  double within_reach(double recall, std::size_t k);

  Tuning tuning();
  void set_tuning(Tuning tuning);

 private:
  struct PlannedStop {
    StopPolicy stop;
    float deviations = deviations_of(SearchOptions{}.confidence);
  };
  PlannedStop stop(const SearchOptions& options, std::size_t k);
  void plan_filtered(const SearchOptions& options, std::size_t k, PlannedSearch& planned);
  IndexExtent extent() const { return {set_.n(), set_.model().nlist(), has_changed_}; }

  const SegmentSet& set_;
  const bool has_changed_;  ///< much, since it was tuned
  std::mutex mutex_;        ///< of what follows
  Tuning tuned_;
  /// The plan of the last k and target that were asked for, since most calls ask for the same.
  struct {
    std::size_t k = 0;  ///< 0: none
    double recall = 0;  ///< 0: the default
    PlannedStop planned;
  } last_;
};

}  // namespace obliq
