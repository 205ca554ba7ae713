// Survivors are taken in the order of the scan, but before there are k answers those with the least
// bounds come first, so that they set a threshold for the rest. A survivor that the threshold rules
// out by the time its turn comes is dropped. A row is relative to its primary list; a query keeps
// what it knows of those lists.
#include "index/search/row_refiner.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/prefetch.h"
#include "core/rough_quantile.h"
#include "index/segment/entry_format.h"

namespace obliq {
namespace {

constexpr std::size_t kBatch = 16;      // rows fetched ahead, and refined between looks at the k-th
constexpr std::size_t kAskedFirst = 4;  // spilled rows asked for without a k-th, times k

// A bound that about `wanted` survivors of the tasks do not exceed; infinity where they are fewer.
float limit_of(std::span<const ScanTask> tasks, std::size_t wanted, std::vector<float>& bounds) {
  bounds.clear();
  for (const ScanTask& task : tasks) {
    bounds.insert(bounds.end(), task.bounds.data(), task.bounds.data() + task.found);
  }
  if (bounds.size() <= wanted) return std::numeric_limits<float>::infinity();
  return rough_quantile(bounds, wanted);
}

// Puts the survivors up to a limit first. Returns how many were put first.
std::size_t keep_best(ScanTask& task, float limit) {
  std::size_t first = 0;
  for (std::size_t i = 0; i < task.found; ++i) {
    if (task.bounds[i] > limit) continue;
    std::swap(task.bounds[i], task.bounds[first]);
    std::swap(task.entries[i], task.entries[first]);
    ++first;
  }
  return first;
}

// Drops those of survivors [begin, end) that the k-th distance rules out, and puts the others from
// `kept` on. Returns the end of those.
std::size_t keep_below(ScanTask& task, std::size_t begin, std::size_t end, float threshold,
                       std::size_t kept) {
  for (std::size_t i = begin; i < end; ++i) {
    task.bounds[kept] = task.bounds[i];
    task.entries[kept] = task.entries[i];
    kept += task.bounds[i] < threshold ? 1 : 0;
  }
  return kept;
}

// Batches of survivors [begin, end).
void cut(std::size_t begin, std::size_t end, std::vector<std::size_t>& ends) {
  ends.clear();
  while (begin < end) ends.push_back(begin = std::min(begin + kBatch, end));
}

// Batches of the survivors from `begin` on, less those that the k-th distance rules out.
void cut_below(ScanTask& task, std::size_t begin, float threshold, std::vector<std::size_t>& ends) {
  ends.clear();
  std::size_t kept = begin;
  for (; begin < task.found; begin += kBatch) {
    const std::size_t last = kept;
    kept = keep_below(task, begin, std::min(begin + kBatch, task.found), threshold, kept);
    if (kept > last) ends.push_back(kept);
  }
}

}  // namespace

RefineScratch::RefineScratch(const TrainedModel& model) : rows(model, kBatch) {
  batch.reserve(kBatch);
  survivors.reserve(kBatch);
  ends.reserve(ScanTask::kChunk / kBatch + 1);
}

RowRefiner::RowRefiner(const Router& router)
    : set_(router.set()),
      model_(router.model()),
      router_(router),
      scorer_(model_),
      dim_(model_.dim()),
      spilled_(set_.spilled() > 0),
      repeats_(set_.segments().size() > 1 && set_.slots() > set_.n()),
      weight_(product_weight(model_.metric())) {}

// Where there is no k-th distance yet, those to refine first are not known.
void RowRefiner::fetch_first(const ScanTask& task) const {
  if (!task.visit.query->progress.top.has_threshold()) return;
  const std::size_t first = std::min(task.found, kBatch);
  for (std::size_t i = 0; i < first; ++i) {
    if (task.is_primary(i)) fetch_row(task, place_of(task, i));
  }
  fetch_places(task, 0, first);
}

void RowRefiner::fetch_spilled(const ScanTask& task) const {
  const SearchProgress& progress = task.visit.query->progress;
  if (!task.has_spilled() || !progress.top.has_threshold()) return;
  const float threshold = progress.top.threshold();
  const std::size_t first = std::min(task.found, kBatch);
  for (std::size_t i = 0; i < first; ++i) {
    if (task.is_primary(i) || !(task.bounds[i] < threshold)) continue;
    const SpilledEntry place = place_of(task, i);
    fetch_row(task, place);
    fetch_primary(task, place);
  }
}

void RowRefiner::add_rows(const ScanTask& task, RefineScratch& scratch) const {
  const Segment& segment = *task.part.segment;
  const SearchProgress& progress = task.visit.query->progress;
  const bool knows_kth = progress.top.has_threshold();
  float limit = std::numeric_limits<float>::infinity();
  if (!knows_kth) limit = limit_of({&task, 1}, kAskedFirst * progress.plan.k, scratch.bounds);
  const bool takes_all = !knows_kth && task.part.allowed == nullptr;
  if (takes_all && task.begin == 0) {
    const ListRecord& record = *task.part.record;
    scorer_.add_rows(segment, record.first_row, record.primaries, scratch.ahead);
  }
  for (std::size_t i = 0; i < task.found; ++i) {
    const bool primary = task.is_primary(i);
    if (task.bounds[i] > limit || (takes_all && primary)) continue;
    const SpilledEntry place = place_of(task, i);
    if (place.row >= segment.info.rows) continue;
    scorer_.add_rows(segment, place.row, 1, scratch.ahead);
    if (!model_.row_shape.leads_with_signs || primary) continue;
    const ListRecord* record = primary_record(segment, place);
    if (record != nullptr) scorer_.add_signs(segment, {place, record}, scratch.ahead);
  }
}

void RowRefiner::refine(ScanTask& task, RefineScratch& scratch, SearchCounters& counters) const {
  SearchProgress& progress = task.visit.query->progress;
  const float kth = progress.top.threshold();
  cut(0, keep_below(task, 0, task.found, kth, 0), scratch.ends);
  refine_batches(task, 0, scratch, counters);
  note_improvement(task, kth);
  counters.times.lap(Stage::refine);
}

void RowRefiner::refine_best(std::span<ScanTask> tasks, RefineScratch& scratch,
                             SearchCounters& counters) const {
  SearchProgress& progress = tasks.front().visit.query->progress;
  const float kth = progress.top.threshold();
  const float limit = limit_of(tasks, 2 * progress.plan.k, scratch.bounds);
  for (ScanTask& task : tasks) {
    task.refined = keep_best(task, limit);
    cut(0, task.refined, scratch.ends);
    refine_batches(task, 0, scratch, counters);
  }
  for (ScanTask& task : tasks) {
    cut_below(task, task.refined, progress.top.threshold(), scratch.ends);
    refine_batches(task, task.refined, scratch, counters);
  }
  note_improvement(tasks.front(), kth);
  counters.times.lap(Stage::refine);
}

// `before`: the k-th distance before the task was refined.
void RowRefiner::note_improvement(const ScanTask& task, float before) const {
  SearchProgress& progress = task.visit.query->progress;
  if (!(progress.top.threshold() < before)) return;
  progress.last_improved = std::max<std::size_t>(progress.last_improved, task.visit.list.rank);
}

// The batches of scratch.ends, the first from `begin` on. Of a spilled entry the place is read
// before its row, and its primary list before its signs: each is fetched a batch ahead of that.
void RowRefiner::refine_batches(ScanTask& task, std::size_t begin, RefineScratch& scratch,
                                SearchCounters& counters) const {
  const std::span<const std::size_t> ends = scratch.ends;
  if (ends.empty()) return;
  const auto end_of = [&](std::size_t batch) { return ends[std::min(batch, ends.size() - 1)]; };
  fetch_places(task, begin, end_of(1));
  fetch_rows(task, begin, end_of(0));
  for (std::size_t batch = 0; batch < ends.size(); ++batch) {
    const std::size_t next = end_of(batch + 1);
    fetch_places(task, next, end_of(batch + 2));
    fetch_rows(task, ends[batch], next);
    select_batch(task, begin, ends[batch], scratch);
    scorer_.multiply(task.visit.query->prepared, *task.part.segment, scratch.batch, scratch.rows);
    counters.refined += scratch.batch.size();
    offer_batch(task, scratch, counters);
    begin = ends[batch];
  }
}

SpilledEntry RowRefiner::place_of(const ScanTask& task, std::size_t survivor) const {
  const ListRecord& record = *task.part.record;
  const std::uint32_t entry = task.entry(survivor);
  if (entry < record.primaries) return {record.first_row + entry, task.visit.list.probe.list};
  return task.part.segment->spilled_entry(record.first_spilled + (entry - record.primaries));
}

void RowRefiner::fetch_places(const ScanTask& task, std::size_t begin, std::size_t end) const {
  if (!task.has_spilled()) return;
  const ListRecord& record = *task.part.record;
  const std::size_t bytes = spilled_bytes(model_.nlist());
  for (std::size_t i = begin; i < end; ++i) {
    if (task.is_primary(i)) continue;
    const std::size_t number = record.first_spilled + (task.entry(i) - record.primaries);
    prefetch(task.part.segment->spilled.data() + number * bytes, bytes);
  }
}

void RowRefiner::fetch_rows(ScanTask& task, std::size_t begin, std::size_t end) const {
  const float threshold = task.visit.query->progress.top.threshold();
  for (std::size_t i = begin; i < end; ++i) {
    if (!(task.bounds[i] < threshold)) continue;
    task.places[i] = place_of(task, i);
    fetch_row(task, task.places[i]);
    if (!task.is_primary(i)) fetch_primary(task, task.places[i]);
  }
  if (!model_.row_shape.leads_with_signs || !task.has_spilled()) return;
  for (std::size_t i = begin; i < end; ++i) {
    if (task.bounds[i] < threshold && !task.is_primary(i)) fetch_signs(task, task.places[i]);
  }
}

void RowRefiner::fetch_row(const ScanTask& task, const SpilledEntry& place) const {
  scorer_.fetch_row(*task.part.segment, place.row);
}

// What refining a row needs of a primary list that is not the one scanned.
void RowRefiner::fetch_primary(const ScanTask& task, const SpilledEntry& place) const {
  if (place.list >= model_.nlist()) return;
  const ListDirectory& lists = task.part.segment->lists;
  if (!lists.is_sparse()) prefetch(&lists.records()[place.list], sizeof(ListRecord));
  if (task.visit.query->progress.views.find(place.list) != nullptr) return;
  scorer_.fetch_list(place.list);
}

void RowRefiner::fetch_signs(const ScanTask& task, const SpilledEntry& place) const {
  const Segment& segment = *task.part.segment;
  const ListRecord* record = primary_record(segment, place);
  if (record != nullptr) scorer_.fetch_signs(segment, {place, record});
}

// Null where a damaged place leads outside the lists, the rows or the rows of its list.
const ListRecord* RowRefiner::primary_record(const Segment& segment,
                                             const SpilledEntry& place) const {
  if (place.list >= model_.nlist() || place.row >= segment.info.rows) return nullptr;
  const ListRecord* record = segment.lists.find(place.list);
  const bool has_row = record != nullptr && place.row - record->first_row < record->primaries;
  return has_row ? record : nullptr;
}

// Those whose bound passes, that may be answers, and that no other entry has brought before.
void RowRefiner::select_batch(const ScanTask& task, std::size_t begin, std::size_t end,
                              RefineScratch& scratch) const {
  SearchProgress& progress = task.visit.query->progress;
  const AllowedRows* allowed = task.part.allowed;
  const RowBits* deleted = allowed == nullptr ? task.part.deleted : nullptr;
  scratch.batch.clear();
  scratch.survivors.clear();
  for (std::size_t i = begin; i < end; ++i) {
    if (!(task.bounds[i] < progress.top.threshold())) continue;
    const SpilledEntry& place = task.places[i];
    const ListRecord* record =
        task.is_primary(i) ? task.part.record : primary_record(*task.part.segment, place);
    if (record == nullptr || (deleted != nullptr && deleted->has(place.row))) continue;
    if (allowed != nullptr && !task.is_primary(i) && !allowed->has(place.row)) continue;
    if (progress.plan.skips_foreign && record->is_foreign()) continue;
    const std::uint32_t slot = task.part.first_slot + place.row;
    if (slot == progress.plan.excluded) continue;
    if (spilled_ && !progress.refined.insert(slot)) continue;
    scratch.batch.push_back({place, record});
    scratch.survivors.push_back(i);
  }
}

void RowRefiner::offer_batch(const ScanTask& task, RefineScratch& scratch,
                             SearchCounters& counters) const {
  if (task.part.segment->reads_ahead && model_.raw_form() != RawForm::none) {
    ask_for_raw(task, scratch, counters);
  }
  for (std::size_t i = 0; i < scratch.batch.size(); ++i) {
    const ListView& primary = view_of_primary(task, scratch.batch[i].place.list, counters);
    offer(task, i, primary, scratch, counters);
  }
}

// Of a list that need not be probed.
const ListView& RowRefiner::view_of_primary(const ScanTask& task, std::uint32_t list,
                                            SearchCounters& counters) const {
  if (list == task.visit.list.probe.list) return task.view;
  auto& [prepared, progress] = *task.visit.query;
  const ListView* known = progress.views.find(list);
  if (known != nullptr) return *known;
  ++counters.primaries;
  return progress.views.insert(list, prepared.view_of(router_.probe(prepared.centroids(), list)));
}

// Standard deviation of a refined distance: |r||q-c| tan / sqrt(dim-1) of its row. A second entry
// tells its own |r|, which is no less than that in the primary list. The rounding of the row's
// numbers to 11 bits is added: that of its factors takes 2^-12 of <x^,q-c>, which is at most half
// of |q-c|^2 + |r|^2, that of f_add as much of itself.
float RowRefiner::row_spread(const ScanTask& task, std::size_t survivor, const PlacedRow& row,
                             const ListView& primary, float f_add) const {
  constexpr float kRounding = 0x1p-12F;
  const ListRecord& scanned = *task.part.record;
  const float b =
      entry_rescale(task.part.segment->blocks.data(), dim_, scanned.first + task.entry(survivor));
  const ModelInfo& info = model_.info;
  const float cosine = std::sqrt(std::max(0.0F, 1 - info.sine * info.sine));
  const float length = b * scanned.scale() * std::sqrt(static_cast<float>(dim_)) * cosine;
  const float angle =
      weight_ * length * primary.distance * info.row_tangent / std::sqrt(degrees_of_freedom(dim_));
  const float rounded =
      kRounding * (primary.distance * primary.distance + length * length + std::abs(f_add)) +
      hidden_by_units(*row.record, dim_, weight_, primary.distance);
  return task.visit.query->prepared.slope() * std::sqrt(angle * angle + rounded * rounded);
}

// The raw vectors of a batch that offer() reads, or some more: the k-th distance may fall
// meanwhile.
void RowRefiner::ask_for_raw(const ScanTask& task, RefineScratch& scratch,
                             SearchCounters& counters) const {
  const PreparedQuery& prepared = task.visit.query->prepared;
  for (std::size_t i = 0; i < scratch.batch.size(); ++i) {
    const PlacedRow& row = scratch.batch[i];
    const ListView& primary = view_of_primary(task, row.place.list, counters);
    const float f_add = scorer_.add_of(row, i, scratch.rows);
    const float distance = scorer_.distance(prepared, primary.base, f_add, i, scratch.rows);
    if (!may_be_answer(task, i, primary, f_add, distance, scratch)) continue;
    scorer_.add_raw(*task.part.segment, row.place.row, scratch.ahead);
  }
  scratch.ahead.submit();
}

// Whether the exact distance of row i of the batch may be below the k-th; `distance`: by its code.
bool RowRefiner::may_be_answer(const ScanTask& task, std::size_t i, const ListView& primary,
                               float f_add, float distance, const RefineScratch& scratch) const {
  const SearchProgress& progress = task.visit.query->progress;
  const float deviations = progress.plan.deviations;
  if (!std::isfinite(deviations)) return true;
  const float spread = row_spread(task, scratch.survivors[i], scratch.batch[i], primary, f_add);
  return distance - deviations * spread < progress.top.threshold();
}

// Row i of the batch.
void RowRefiner::offer(const ScanTask& task, std::size_t i, const ListView& primary,
                       RefineScratch& scratch, SearchCounters& counters) const {
  auto& [prepared, progress] = *task.visit.query;
  const PlacedRow& row = scratch.batch[i];
  const std::uint32_t slot = task.part.first_slot + row.place.row;
  const float f_add = scorer_.add_of(row, i, scratch.rows);
  const float distance = scorer_.distance(prepared, primary.base, f_add, i, scratch.rows);
  if (model_.raw_form() == RawForm::none) {
    push(progress, distance, slot);
    return;
  }
  if (!may_be_answer(task, i, primary, f_add, distance, scratch)) return;
  ++counters.exact;
  counters.times.lap(Stage::refine);
  push(progress, scorer_.raw_distance(prepared, *task.part.segment, row.place, scratch.rows), slot);
  counters.times.lap(Stage::raw);
}

// A foreign row of one segment (segment.h) is a row of its own in another: the first that comes is
// the answer.
void RowRefiner::push(SearchProgress& progress, float distance, std::uint32_t slot) const {
  if (repeats_ && !progress.plan.skips_foreign && distance <= progress.top.threshold()) {
    const std::int64_t id = set_.id(slot);
    for (const auto& [known, other] : progress.top.answers()) {
      if (set_.id(other) == id) return;
    }
  }
  progress.top.push(distance, slot);
}

}  // namespace obliq
