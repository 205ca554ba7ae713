#include "index/search/list_scanner.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/half.h"
#include "core/kernels/dispatch.h"
#include "core/prefetch.h"
#include "core/rough_quantile.h"

namespace obliq {
namespace {

constexpr std::size_t kChunk = 512;  // entries scanned before their survivors are refined
constexpr std::size_t kGroup = 8;    // queries that scan a chunk before survivors are refined
constexpr std::size_t kBatch = 16;   // rows fetched ahead, and refined between looks at the k-th
constexpr float kInfinity = std::numeric_limits<float>::infinity();

float degrees_of_freedom(std::size_t dim) {
  return static_cast<float>(std::max<std::size_t>(dim, 2) - 1);
}

}  // namespace

ListScanner::ListScanner(const Segment& segment, const Router& router)
    : segment_(segment),
      router_(router),
      dim_(segment.dim()),
      spilled_(segment.spilled > 0),
      weight_(product_weight(segment.metric())),
      spread_(segment.info.sine * std::sqrt(static_cast<float>(dim_) / degrees_of_freedom(dim_))),
      tasks_(kGroup),
      refs_(kBatch),
      signs_(kBatch * plane_bytes(dim_)),
      products_(kBatch),
      raw_row_(dim_) {
  batch_.reserve(kBatch);
  for (Task& task : tasks_) {
    task.entries.resize(kChunk + kBlockEntries);
    task.bounds.resize(kChunk + kBlockEntries);
    task.rows.resize(kChunk);
  }
}

// Of a list that need not be probed.
const ListView& ListScanner::view_of_primary(std::uint32_t list, SearchCounters& counters) {
  if (!spilled_) return task_->view;
  const ListView* known = query_->views.find(list);
  if (known != nullptr) return *known;
  ++counters.primaries;
  return query_->views.insert(list, query_->view_of(router_.probe(query_->centroids, list)));
}

void ListScanner::start(const Visit& visit, Task& task) const {
  QueryState& query = *visit.query;
  task.query = &query;
  const Probe& probe = visit.list.probe;
  task.list_number = probe.list;
  task.rank = visit.list.rank;
  task.view = query.view_of(probe);
  const bool prunes = std::isfinite(query.plan.deviations);
  task.list = scan_list(*task.view.record, segment_.blocks.data(), dim_,
                        prunes ? task.view.base : -kInfinity, query.slope, weight_);
  query.scan.set_shift(spread_ * task.view.distance, prunes ? query.plan.deviations : 0.0F,
                       task.list);
}

void ListScanner::scan(std::span<const Visit> visits, const ListRecord* next,
                       SearchCounters& counters) {
  for (; visits.size() > kGroup; visits = visits.subspan(kGroup)) {
    scan_group(visits.first(kGroup), nullptr, counters);
  }
  scan_group(visits, next, counters);
}

// Chunk by chunk, so that each is in the caches for all queries but the first. The rows of all
// survivors are on their way before the first of them is refined. What a query's map of primaries
// lacks is computed when a row needs it: the map is not in the caches.
void ListScanner::scan_group(std::span<const Visit> visits, const ListRecord* next,
                             SearchCounters& counters) {
  const std::span<Task> tasks = {tasks_.data(), visits.size()};
  for (std::size_t i = 0; i < tasks.size(); ++i) start(visits[i], tasks[i]);
  if (next != nullptr) tasks.back().list.next = block_of(segment_.blocks.data(), dim_, next->first);
  const std::uint32_t count = tasks.front().list.count;
  for (std::uint32_t done = 0; done < count; done += kChunk) {
    for (Task& task : tasks) {
      scan_chunk(task, done);
      fetch_first(task);
    }
    counters.times.lap(Stage::scan);
    for (Task& task : tasks) refine_survivors(task, counters);
  }
  for (const Task& task : tasks) count_list(task, counters);
}

// A list is scanned with the k-th distance of before its predecessor's survivors are refined; those
// that the new one rules out are dropped when their turn comes.
void ListScanner::walk(QueryState& query, std::span<const RankedProbe> lists,
                       const ListRecord* next, SearchCounters& counters) {
  Task* waiting = nullptr;
  std::size_t turn = 0;
  for (std::size_t i = 0; i < lists.size(); ++i) {
    const bool last = i + 1 == lists.size();
    const ListRecord* after = last ? next : &segment_.lists[lists[i + 1].probe.list];
    std::uint32_t done = 0;
    do {
      Task& task = tasks_[turn++ % 2];
      start({&query, lists[i]}, task);
      if (after != nullptr) task.list.next = block_of(segment_.blocks.data(), dim_, after->first);
      if (spilled_ && done == 0) query.views.insert(task.list_number, task.view);
      scan_chunk(task, done);
      fetch_first(task);
      counters.times.lap(Stage::scan);
      if (waiting != nullptr) refine_survivors(*waiting, counters);
      waiting = &task;
      if (!query.top.full()) {
        refine_survivors(task, counters);
        waiting = nullptr;
      }
      done += kChunk;
      if (done >= task.list.count) count_list(task, counters);
    } while (done < tasks_[(turn - 1) % 2].list.count);
  }
  if (waiting != nullptr) refine_survivors(*waiting, counters);
}

void ListScanner::scan_chunk(Task& task, std::uint32_t begin) {
  const ScanList chunk = scan_part(task.list, begin, kChunk);
  task.chunk = task.view.record->first + begin;
  task.found = kernels().scan(task.query->scan.lut(), dim_, chunk, task.query->top.threshold(),
                              task.entries.data(), task.bounds.data());
}

// Refines the survivors of a chunk.
void ListScanner::refine_survivors(Task& task, SearchCounters& counters) {
  task_ = &task;
  query_ = task.query;
  const float kth = query_->top.threshold();
  refine(counters);
  if (query_->top.threshold() < kth)
    query_->last_improved = std::max(query_->last_improved, task.rank);
  counters.times.lap(Stage::refine);
}

// After the last chunk of a list.
void ListScanner::count_list(const Task& task, SearchCounters& counters) const {
  ++task.query->lists;
  task.query->entries += task.list.count;
  ++counters.lists;
  counters.entries += task.list.count;
}

// Where there is no k-th distance yet, those to refine first are not known.
void ListScanner::fetch_first(const Task& task) const {
  if (!task.query->top.full()) return;
  const std::size_t first = std::min(task.found, kBatch);
  for (std::size_t i = 0; i < first; ++i) {
    const std::uint32_t row = entry_row(segment_.blocks.data(), dim_, task.chunk + task.entries[i]);
    if (row < segment_.info.n) prefetch(row_at(row), segment_.row_shape.bytes());
  }
}

// Before there are k answers everything survives: puts those with the least bounds first, so that
// refining them sets a threshold for the rest. Returns how many were put first.
std::size_t ListScanner::keep_best(std::size_t found) {
  const std::size_t wanted = 2 * query_->plan.k;
  if (found <= wanted) return found;
  const float limit = rough_quantile({task_->bounds.data(), found}, wanted);
  std::size_t first = 0;
  for (std::size_t i = 0; i < found; ++i) {
    if (task_->bounds[i] > limit) continue;
    std::swap(task_->bounds[i], task_->bounds[first]);
    std::swap(task_->entries[i], task_->entries[first]);
    ++first;
  }
  return first;
}

// Drops what the k-th distance of now rules out. Returns how many are left.
std::size_t ListScanner::keep_below() {
  const float threshold = query_->top.threshold();
  std::size_t kept = 0;
  for (std::size_t i = 0; i < task_->found; ++i) {
    task_->bounds[kept] = task_->bounds[i];
    task_->entries[kept] = task_->entries[i];
    kept += task_->bounds[i] < threshold ? 1 : 0;
  }
  return kept;
}

void ListScanner::refine(SearchCounters& counters) {
  const std::size_t found = query_->top.full() ? keep_below() : task_->found;
  const std::size_t first = query_->top.full() ? 0 : keep_best(found);
  refine_range(0, first, counters);
  refine_range(first, found, counters);
}

// Rows are fetched a batch ahead of their use.
void ListScanner::refine_range(std::size_t begin, std::size_t end, SearchCounters& counters) {
  fetch_rows(begin, std::min(begin + kBatch, end));
  for (; begin < end; begin += kBatch) {
    const std::size_t middle = std::min(begin + kBatch, end);
    fetch_rows(middle, std::min(middle + kBatch, end));
    refine_batch(begin, middle, counters);
  }
}

const std::uint8_t* ListScanner::row_at(std::uint32_t row) const {
  return segment_.rows.data() + row * segment_.row_shape.bytes();
}

void ListScanner::fetch_rows(std::size_t begin, std::size_t end) {
  const std::size_t bytes = segment_.row_shape.bytes();
  for (std::size_t i = begin; i < end; ++i) {
    if (!(task_->bounds[i] < query_->top.threshold())) continue;
    task_->rows[i] = entry_row(segment_.blocks.data(), dim_, task_->chunk + task_->entries[i]);
    if (task_->rows[i] < segment_.info.n) prefetch(row_at(task_->rows[i]), bytes);
  }
}

// What refining a row needs of its primary, while the rest of the batch is looked at.
void ListScanner::fetch_primary(const PrimaryEntry& primary) const {
  if (query_->views.find(primary.list) == nullptr) {
    prefetch(segment_.centroid(primary.list), dim_);
    prefetch(&segment_.lists[primary.list], sizeof(ListRecord));
  }
  if (segment_.row_shape.leads_with_signs) {
    prefetch(block_of(segment_.blocks.data(), dim_, primary.entry), block_sign_bytes(dim_));
  }
}

// Those whose bound passes and which no other entry has brought before, with their primaries.
void ListScanner::select_batch(std::size_t begin, std::size_t end) {
  batch_.clear();
  for (std::size_t i = begin; i < end; ++i) {
    // A damaged row number must not lead outside the rows, nor a damaged primary outside the lists.
    if (!(task_->bounds[i] < query_->top.threshold()) || task_->rows[i] >= segment_.info.n)
      continue;
    PrimaryEntry primary = {task_->list_number, task_->chunk + task_->entries[i]};
    if (spilled_) {
      if (!query_->refined.insert(task_->rows[i])) continue;
      primary = read_primary(segment_.row_shape, row_at(task_->rows[i]));
      if (primary.list >= segment_.lists.size() || primary.entry >= segment_.info.entries) continue;
      fetch_primary(primary);
    }
    batch_.push_back({i, primary});
  }
}

void ListScanner::refine_batch(std::size_t begin, std::size_t end, SearchCounters& counters) {
  const RowShape& shape = segment_.row_shape;
  select_batch(begin, end);
  for (std::size_t slot = 0; slot < batch_.size(); ++slot) {
    const auto& [survivor, primary] = batch_[slot];
    const std::uint8_t* row = row_at(task_->rows[survivor]);
    std::uint8_t* signs = signs_.data() + slot * plane_bytes(dim_);
    if (shape.leads_with_signs) {
      read_entry_signs(segment_.blocks.data(), dim_, primary.entry, signs);
    }
    refs_[slot] = {signs, row, read_row_factors(shape, row, segment_.lists[primary.list].scale)};
  }
  query_->scorer->products({refs_.data(), batch_.size()}, products_.data());
  counters.refined += batch_.size();
  for (std::size_t slot = 0; slot < batch_.size(); ++slot) {
    const ListView& primary = view_of_primary(batch_[slot].primary.list, counters);
    const float f_add = read_row_add(shape, refs_[slot].rest, primary.record->add_scale);
    offer(batch_[slot], primary, primary.base + query_->slope * (f_add - weight_ * products_[slot]),
          counters);
  }
}

// Standard deviation of a refined distance: |r||q-c| tan / sqrt(dim-1) of its row. A second entry
// tells its own |r|, which is no less than that in the primary list.
float ListScanner::row_spread(const Candidate& candidate, const ListView& primary) const {
  const float b = entry_rescale(segment_.blocks.data(), dim_,
                                task_->chunk + task_->entries[candidate.survivor]);
  const float cosine = std::sqrt(std::max(0.0F, 1 - segment_.info.sine * segment_.info.sine));
  const float length = b * task_->view.record->scale * std::sqrt(static_cast<float>(dim_)) * cosine;
  return query_->slope * weight_ * length * primary.distance * segment_.info.row_tangent /
         std::sqrt(degrees_of_freedom(dim_));
}

void ListScanner::offer(const Candidate& candidate, const ListView& primary, float distance,
                        SearchCounters& counters) {
  const std::uint32_t row = task_->rows[candidate.survivor];
  if (segment_.raw_tier() == RawTier::none) {
    query_->top.push(distance, row);
    return;
  }
  const bool prunes = std::isfinite(query_->plan.deviations);
  const float bound = distance - query_->plan.deviations * row_spread(candidate, primary);
  if (prunes && !(bound < query_->top.threshold())) return;
  ++counters.exact;
  counters.times.lap(Stage::refine);
  query_->top.push(exact_distance(row), row);
  counters.times.lap(Stage::raw);
}

float ListScanner::exact_distance(std::uint32_t row) {
  const std::uint8_t* stored = segment_.raw.data() + row * raw_bytes(segment_.raw_tier(), dim_);
  const float* x = reinterpret_cast<const float*>(stored);
  if (segment_.raw_tier() == RawTier::fp16) {
    const auto* halves = reinterpret_cast<const std::uint16_t*>(stored);
    for (std::size_t i = 0; i < dim_; ++i) raw_row_[i] = half_to_float(halves[i]);
    x = raw_row_.data();
  }
  switch (segment_.metric()) {
    case Metric::l2:
      return kernels().l2_sqr(query_->raw_query.data(), x, dim_);
    case Metric::ip:
      return -kernels().dot(query_->raw_query.data(), x, dim_);
    case Metric::cosine:
      return 1 - kernels().dot(query_->raw_query.data(), x, dim_);
  }
  return kInfinity;
}

}  // namespace obliq
