// The stages refine and raw: the full codes of the entries that survive the scan and, where there
// is a raw tier, the exact vectors of those whose own bound passes. Rows are fetched a batch ahead
// of their use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "index/search/router.h"
#include "index/search/row_scorer.h"
#include "index/search/scan_task.h"
#include "index/segment/segment_set.h"
#include "storage/read_ahead.h"

namespace obliq {

/// Scratch memory of refining: a batch of rows.
struct RefineScratch {
  explicit RefineScratch(const TrainedModel& model);

  std::vector<float> bounds;
  std::vector<PlacedRow> batch;
  std::vector<std::size_t> survivors;  ///< of the task: those whose rows the batch has
  std::vector<std::size_t> ends;       ///< of the batches to come, among the task's survivors
  RowScratch rows;
  ReadAhead ahead;
};

/// One for an index; threads share it, each with a RefineScratch of its own.
class RowRefiner {
 public:
  /// `router` tells the distance of primary lists that are not probed. It outlives this.
  explicit RowRefiner(const Router& router);

  /// Starts loading the rows that are refined first and, of spilled entries, where they are.
  void fetch_first(const ScanTask& task) const;
  /// Once that has come, starts loading what refining the spilled entries among them reads.
  void fetch_spilled(const ScanTask& task) const;
  /// Adds what refining a task's survivors reads to what is read ahead: where there is no k-th
  /// distance yet, those of some with the least bounds and of all primary rows.
  void add_rows(const ScanTask& task, RefineScratch& scratch) const;
  /// Brings the answers among a task's survivors to its query, which has k answers.
  void refine(ScanTask& task, RefineScratch& scratch, SearchCounters& counters) const;
  /// The same for chunks of one list and a query that has fewer: of the survivors of all chunks
  /// those with the least bounds come first.
  void refine_best(std::span<ScanTask> tasks, RefineScratch& scratch,
                   SearchCounters& counters) const;

 private:
  void note_improvement(const ScanTask& task, float before) const;
  void refine_batches(ScanTask& task, std::size_t begin, RefineScratch& scratch,
                      SearchCounters& counters) const;
  void fetch_places(const ScanTask& task, std::size_t begin, std::size_t end) const;
  void fetch_rows(ScanTask& task, std::size_t begin, std::size_t end) const;
  void fetch_row(const ScanTask& task, const SpilledEntry& place) const;
  void fetch_primary(const ScanTask& task, const SpilledEntry& place) const;
  void fetch_signs(const ScanTask& task, const SpilledEntry& place) const;
  SpilledEntry place_of(const ScanTask& task, std::size_t survivor) const;
  const ListRecord* primary_record(const Segment& segment, const SpilledEntry& place) const;
  void select_batch(const ScanTask& task, std::size_t begin, std::size_t end,
                    RefineScratch& scratch) const;
  void offer_batch(const ScanTask& task, RefineScratch& scratch, SearchCounters& counters) const;
  const ListView& view_of_primary(const ScanTask& task, std::uint32_t list,
                                  SearchCounters& counters) const;
  void ask_for_raw(const ScanTask& task, RefineScratch& scratch, SearchCounters& counters) const;
  void offer(const ScanTask& task, std::size_t i, const ListView& primary, RefineScratch& scratch,
             SearchCounters& counters) const;
  float row_spread(const ScanTask& task, std::size_t survivor, const PlacedRow& row,
                   const ListView& primary, float f_add) const;
  bool may_be_answer(const ScanTask& task, std::size_t i, const ListView& primary, float f_add,
                     float distance, const RefineScratch& scratch) const;
  void push(SearchProgress& progress, float distance, std::uint32_t slot) const;

  const SegmentSet& set_;
  const TrainedModel& model_;
  const Router& router_;
  const RowScorer scorer_;
  const std::size_t dim_;
  const bool spilled_;
  const bool repeats_;  ///< a vector may be met in two segments
  const float weight_;  ///< of <x^,q> in a distance
};

}  // namespace obliq
