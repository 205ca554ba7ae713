// Survivors are taken in the order of the scan, but before there are k answers those with the least
// bounds come first, so that they set a threshold for the rest. A survivor that the threshold rules
// out by the time its turn comes is dropped. A row is relative to its primary list; a query keeps
// what it knows of those lists.
#include "index/search/row_refiner.h"

#include <algorithm>
#include <cmath>

#include "core/exact_distance.h"
#include "core/kernels/dispatch.h"
#include "core/rough_quantile.h"
#include "index/search/far_query.h"
#include "index/search/row_mask.h"
#include "index/segment/entry_format.h"
#include "index/segment/raw_tier.h"

namespace obliq {
namespace {

constexpr std::size_t kBatch = 16;  // rows fetched ahead, and refined between looks at the k-th

// Puts the survivors with the least bounds first. Returns how many were put first.
std::size_t keep_best(ScanTask& task, std::size_t k) {
  const std::size_t wanted = 2 * k;
  if (task.found <= wanted) return task.found;
  const float limit = rough_quantile({task.bounds.data(), task.found}, wanted);
  std::size_t first = 0;
  for (std::size_t i = 0; i < task.found; ++i) {
    if (task.bounds[i] > limit) continue;
    std::swap(task.bounds[i], task.bounds[first]);
    std::swap(task.entries[i], task.entries[first]);
    ++first;
  }
  return first;
}

// Drops what the k-th distance rules out. Returns how many are left.
std::size_t keep_below(ScanTask& task, float threshold) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < task.found; ++i) {
    task.bounds[kept] = task.bounds[i];
    task.entries[kept] = task.entries[i];
    kept += task.bounds[i] < threshold ? 1 : 0;
  }
  return kept;
}

}  // namespace

RefineScratch::RefineScratch(const Segment& segment)
    : refs(kBatch),
      signs(kBatch * plane_bytes(segment.dim())),
      products(kBatch),
      raw_row(segment.dim()) {
  batch.reserve(kBatch);
  if (segment.far_lists.empty()) return;
  far_values.resize(segment.dim());
  far_scorer = segment.quantizer->make_scorer();
}

RowRefiner::RowRefiner(const Router& router)
    : segment_(router.segment()),
      router_(router),
      dim_(segment_.dim()),
      row_bytes_(segment_.row_shape.bytes()),
      spilled_(segment_.spilled > 0),
      weight_(product_weight(segment_.metric())) {}

// Where there is no k-th distance yet, those to refine first are not known.
void RowRefiner::fetch_first(const ScanTask& task) const {
  if (!task.visit.query->progress.top.full()) return;
  const std::size_t first = std::min(task.found, kBatch);
  for (std::size_t i = 0; i < first; ++i) fetch_row(row_of(task, i));
}

void RowRefiner::refine(ScanTask& task, RefineScratch& scratch, SearchCounters& counters) const {
  SearchProgress& progress = task.visit.query->progress;
  const float kth = progress.top.threshold();
  const bool full = progress.top.full();
  const std::size_t found = full ? keep_below(task, kth) : task.found;
  const std::size_t first = full ? 0 : keep_best(task, progress.plan.k);
  refine_range(task, 0, first, scratch, counters);
  refine_range(task, first, found, scratch, counters);
  if (progress.top.threshold() < kth) {
    progress.last_improved = std::max<std::size_t>(progress.last_improved, task.visit.list.rank);
  }
  counters.times.lap(Stage::refine);
}

void RowRefiner::refine_range(ScanTask& task, std::size_t begin, std::size_t end,
                              RefineScratch& scratch, SearchCounters& counters) const {
  fetch_rows(task, begin, std::min(begin + kBatch, end));
  for (; begin < end; begin += kBatch) {
    const std::size_t middle = std::min(begin + kBatch, end);
    fetch_rows(task, middle, std::min(middle + kBatch, end));
    select_batch(task, begin, middle, scratch);
    multiply_batch(task, scratch);
    counters.refined += scratch.batch.size();
    offer_batch(task, scratch, counters);
  }
}

void RowRefiner::fetch_rows(ScanTask& task, std::size_t begin, std::size_t end) const {
  const float threshold = task.visit.query->progress.top.threshold();
  for (std::size_t i = begin; i < end; ++i) {
    if (!(task.bounds[i] < threshold)) continue;
    fetch_row(task.rows[i] = row_of(task, i));
  }
}

// What refining a row needs of its primary list, while the rest of the batch is looked at.
void RowRefiner::fetch_primary(const ScanTask& task, const PrimaryEntry& primary) const {
  if (task.visit.query->progress.views.find(primary.list) == nullptr) {
    prefetch(segment_.centroid(primary.list), dim_);
    prefetch(&segment_.lists[primary.list], sizeof(ListRecord));
  }
  if (segment_.row_shape.leads_with_signs) {
    prefetch(block_of(segment_.blocks.data(), dim_, primary.entry), block_sign_bytes(dim_));
  }
}

// Those whose bound passes, that may be answers, and that no other entry has brought before.
void RowRefiner::select_batch(const ScanTask& task, std::size_t begin, std::size_t end,
                              RefineScratch& scratch) const {
  SearchProgress& progress = task.visit.query->progress;
  const RowMask* allowed = progress.plan.allowed;
  scratch.batch.clear();
  for (std::size_t i = begin; i < end; ++i) {
    // A damaged row number must not lead outside the rows, nor a damaged list outside the lists.
    if (!(task.bounds[i] < progress.top.threshold()) || task.rows[i] >= segment_.info.n) continue;
    if (allowed != nullptr && !allowed->allows(task.rows[i])) continue;
    PrimaryEntry primary = {task.visit.list.probe.list, task.first + task.entries[i]};
    if (spilled_) {
      if (!progress.refined.insert(task.rows[i])) continue;
      primary = read_primary(segment_.row_shape, row_at(task.rows[i]));
      if (primary.list >= segment_.lists.size() || primary.entry >= segment_.info.entries) continue;
      fetch_primary(task, primary);
    }
    scratch.batch.push_back({i, primary});
  }
}

// Products of the query with the batch's codes.
void RowRefiner::multiply_batch(const ScanTask& task, RefineScratch& scratch) const {
  const RowShape& shape = segment_.row_shape;
  for (std::size_t slot = 0; slot < scratch.batch.size(); ++slot) {
    const auto& [survivor, primary] = scratch.batch[slot];
    const std::uint8_t* row = row_at(task.rows[survivor]);
    std::uint8_t* signs = scratch.signs.data() + slot * plane_bytes(dim_);
    if (shape.leads_with_signs) {
      read_entry_signs(segment_.blocks.data(), dim_, primary.entry, signs);
    }
    scratch.refs[slot] = {signs, row,
                          read_row_factors(shape, row, segment_.lists[primary.list].scale)};
  }
  const PreparedQuery& query = task.visit.query->prepared;
  if (scratch.far_scorer == nullptr) {
    multiply(query, kNoList, 0, scratch.batch.size(), scratch);
    return;
  }
  scratch.far_list = kNoList;
  for (std::size_t begin = 0, end = 0; begin < scratch.batch.size(); begin = end) {
    const std::uint32_t list = far_or_none(scratch.batch[begin].primary.list);
    for (end = begin; end < scratch.batch.size(); ++end) {
      if (far_or_none(scratch.batch[end].primary.list) != list) break;
    }
    multiply(query, list, begin, end, scratch);
  }
}

// Slots [begin, end) of the batch, whose primary list is `list`; kNoList: any that are near.
void RowRefiner::multiply(const PreparedQuery& query, std::uint32_t list, std::size_t begin,
                          std::size_t end, RefineScratch& scratch) const {
  const Scorer* scorer = &query.scorer();
  if (list != kNoList) {
    far_values(query, list, scratch);
    scorer = scratch.far_scorer.get();
  }
  scorer->products({scratch.refs.data() + begin, end - begin}, scratch.products.data() + begin);
}

// q - c' of a far list, for which the far scorer is set, too.
const float* RowRefiner::far_values(const PreparedQuery& query, std::uint32_t list,
                                    RefineScratch& scratch) const {
  if (scratch.far_list != list) {
    scratch.far_list = list;
    subtract_far_point(segment_, query, list, scratch.far_values.data());
    scratch.far_scorer->set_query(scratch.far_values.data());
  }
  return scratch.far_values.data();
}

void RowRefiner::offer_batch(const ScanTask& task, RefineScratch& scratch,
                             SearchCounters& counters) const {
  const float slope = task.visit.query->prepared.slope();
  for (std::size_t slot = 0; slot < scratch.batch.size(); ++slot) {
    const Candidate& candidate = scratch.batch[slot];
    const ListView& primary = view_of_primary(task, candidate.primary.list, counters);
    const float f_add =
        read_row_add(segment_.row_shape, scratch.refs[slot].rest, primary.record->add_scale);
    const float distance = primary.base + slope * (f_add - weight_ * scratch.products[slot]);
    offer(task, candidate, primary, f_add, distance, scratch, counters);
  }
}

// Of a list that need not be probed.
const ListView& RowRefiner::view_of_primary(const ScanTask& task, std::uint32_t list,
                                            SearchCounters& counters) const {
  if (!spilled_) return task.view;
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
float RowRefiner::row_spread(const ScanTask& task, const Candidate& candidate,
                             const ListView& primary, float f_add) const {
  constexpr float kRounding = 0x1p-12F;
  const float b =
      entry_rescale(segment_.blocks.data(), dim_, task.first + task.entries[candidate.survivor]);
  const float cosine = std::sqrt(std::max(0.0F, 1 - segment_.info.sine * segment_.info.sine));
  const float length = b * task.view.record->scale * std::sqrt(static_cast<float>(dim_)) * cosine;
  const float angle = weight_ * length * primary.distance * segment_.info.row_tangent /
                      std::sqrt(degrees_of_freedom(dim_));
  const float rounded =
      kRounding * (primary.distance * primary.distance + length * length + std::abs(f_add)) +
      hidden_by_units(*primary.record, dim_, weight_, primary.distance);
  return task.visit.query->prepared.slope() * std::sqrt(angle * angle + rounded * rounded);
}

void RowRefiner::offer(const ScanTask& task, const Candidate& candidate, const ListView& primary,
                       float f_add, float distance, RefineScratch& scratch,
                       SearchCounters& counters) const {
  auto& [prepared, progress] = *task.visit.query;
  const std::uint32_t row = task.rows[candidate.survivor];
  if (segment_.raw_form() == RawForm::none) {
    progress.top.push(distance, row);
    return;
  }
  const float deviations = progress.plan.deviations;
  const float bound = distance - deviations * row_spread(task, candidate, primary, f_add);
  if (std::isfinite(deviations) && !(bound < progress.top.threshold())) return;
  ++counters.exact;
  counters.times.lap(Stage::refine);
  progress.top.push(raw_distance(prepared, row, candidate.primary.list, scratch), row);
  counters.times.lap(Stage::raw);
}

float RowRefiner::raw_distance(const PreparedQuery& query, std::uint32_t row, std::uint32_t list,
                               RefineScratch& scratch) const {
  const bool behind = segment_.is_raw_behind(list);
  const float* x = raw_row(segment_, row, behind, scratch.raw_row.data());
  if (behind) return distance_behind(query, x, list, scratch);
  return query.raw_slope() * exact_distance(segment_.metric(), query.raw(), x, dim_);
}

// Of a raw vector behind the transform, in a far list less its centroid.
float RowRefiner::distance_behind(const PreparedQuery& query, const float* x, std::uint32_t list,
                                  RefineScratch& scratch) const {
  if (std::isnan(x[0])) return 1;  // zero under cosine (raw_form.h)
  const bool far = segment_.far_point(list) != nullptr;
  if (segment_.metric() != Metric::ip) {
    const float* q = far ? far_values(query, list, scratch) : query.values();
    return query.slope() * kernels().l2_sqr(q, x, dim_) + query.offset();
  }
  const float before = far ? kernels().dot(query.values(), segment_.far_point(list), dim_) : 0.0F;
  return -query.slope() * (before + kernels().dot(query.values(), x, dim_));
}

}  // namespace obliq
