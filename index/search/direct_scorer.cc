// Rows come in the order of their lists, so that a list's distance is computed once. What a batch
// of rows reads is on its way while the one before is computed.
#include "index/search/direct_scorer.h"

#include <algorithm>

#include "core/prefetch.h"
#include "index/filter/row_filter.h"

namespace obliq {
namespace {

constexpr std::size_t kBatch = 16;      // as a RefineScratch holds
constexpr std::size_t kReadAhead = 64;  // rows that are read ahead together: some batches

// Asks the disk for what scoring rows reads.
void ask(const Segment& segment, std::span<const AllowedRow> rows, const RowScorer& scorer,
         ReadAhead& ahead) {
  const TrainedModel& model = *segment.model;
  for (const auto& [row, record] : rows) {
    scorer.add_rows(segment, row, 1, ahead);
    if (model.raw_form() != RawForm::none) scorer.add_raw(segment, row, ahead);
    if (!model.row_shape.leads_with_signs) continue;
    const SpilledEntry place = {row, segment.lists.list_of(record)};
    scorer.add_signs(segment, {place, &segment.lists.records()[record]}, ahead);
  }
  ahead.submit();
}

}  // namespace

DirectScorer::DirectScorer(const Router& router)
    : set_(router.set()), model_(router.model()), router_(router), scorer_(model_) {}

void DirectScorer::score(ActiveQuery& query, RefineScratch& scratch,
                         SearchCounters& counters) const {
  for (std::size_t s = 0; s < set_.segments().size(); ++s) {
    score_segment(s, query, scratch, counters);
  }
  counters.times.lap(Stage::refine);
}

void DirectScorer::fetch(const Segment& segment, std::span<const AllowedRow> rows) const {
  for (const auto& [row, record] : rows) {
    scorer_.fetch_row(segment, row);
    scorer_.fetch_list(segment.lists.list_of(record));
    if (!model_.row_shape.leads_with_signs) continue;
    const ListRecord& primary = segment.lists.records()[record];
    scorer_.fetch_signs(segment, {{row, segment.lists.list_of(record)}, &primary});
  }
}

void DirectScorer::score_segment(std::size_t segment, ActiveQuery& query, RefineScratch& scratch,
                                 SearchCounters& counters) const {
  const Segment& from = set_.segments()[segment];
  std::span<const AllowedRow> left = query.progress.plan.filter->segments[segment]->few;
  const std::uint32_t first_slot = set_.first_slot(segment);
  fetch(from, left.first(std::min(kBatch, left.size())));
  for (std::size_t done = 0; !left.empty(); done += kBatch) {
    if (from.reads_ahead && done % kReadAhead == 0) {
      ask(from, left.first(std::min(kReadAhead, left.size())), scorer_, scratch.ahead);
    }
    const auto rows = left.first(std::min(kBatch, left.size()));
    left = left.subspan(rows.size());
    fetch(from, left.first(std::min(kBatch, left.size())));
    scratch.batch.clear();
    for (const auto& [row, record] : rows) {
      if (first_slot + row == query.progress.plan.excluded) continue;
      scratch.batch.push_back({{row, from.lists.list_of(record)}, &from.lists.records()[record]});
    }
    scorer_.multiply(query.prepared, from, scratch.batch, scratch.rows);
    counters.refined += scratch.batch.size();
    offer(segment, query, scratch, counters);
  }
}

void DirectScorer::offer(std::size_t segment, ActiveQuery& query, RefineScratch& scratch,
                         SearchCounters& counters) const {
  auto& [prepared, progress] = query;
  const bool has_raw = model_.raw_form() != RawForm::none;
  ListView view;
  std::uint32_t list = kNoList;
  for (std::size_t i = 0; i < scratch.batch.size(); ++i) {
    const PlacedRow& row = scratch.batch[i];
    const std::uint32_t slot = set_.first_slot(segment) + row.place.row;
    if (has_raw) {
      ++counters.exact;
      const Segment& from = set_.segments()[segment];
      progress.top.push(scorer_.raw_distance(prepared, from, row.place, scratch.rows), slot);
      continue;
    }
    if (row.place.list != list) {
      list = row.place.list;
      view = prepared.view_of(router_.probe(prepared.centroids(), list));
    }
    const float f_add = scorer_.add_of(row, i, scratch.rows);
    progress.top.push(scorer_.distance(prepared, view.base, f_add, i, scratch.rows), slot);
  }
}

}  // namespace obliq
