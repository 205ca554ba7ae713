// A list is scanned by chunks of entries, so that a chunk is in the caches for all queries that
// visit it but the first, and a query's survivors stay few. The rows of all survivors of a chunk
// are on their way before the first of them is refined. The entries of one segment come after those
// of another.
#include "index/search/list_scanner.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/kernels/dispatch.h"
#include "index/segment/entry_format.h"

namespace obliq {
namespace {

constexpr std::size_t kGroup = 8;  // queries that scan a chunk before survivors are refined
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// After the last entry of a list.
void count_list(SearchProgress& progress, std::uint64_t entries, SearchCounters& counters) {
  ++progress.lists;
  progress.entries += entries;
  ++counters.lists;
  counters.entries += entries;
}

}  // namespace

ScanScratch::ScanScratch(const TrainedModel& model) : refine(model) {
  for (std::size_t i = 0; i < kGroup; ++i) tasks.emplace_back(model);
}

ListScanner::ListScanner(const Router& router)
    : set_(router.set()),
      model_(router.model()),
      refiner_(router),
      dim_(model_.dim()),
      spilled_(set_.spilled() > 0),
      weight_(product_weight(model_.metric())),
      spread_(model_.info.sine * std::sqrt(static_cast<float>(dim_) / degrees_of_freedom(dim_))) {}

void ListScanner::start(const Visit& visit, const ListPart& part, const std::uint8_t* next,
                        ScanTask& task) const {
  const PreparedQuery& query = visit.query->prepared;
  const float deviations = visit.query->progress.plan.deviations;
  const bool prunes = std::isfinite(deviations);
  task.visit = visit;
  task.part = part;
  task.view = query.view_of(visit.list.probe);
  const float hidden = hidden_by_units(*part.record, dim_, weight_, task.view.distance);
  task.list = scan_list(*part.record, part.segment->blocks.data(), dim_,
                        prunes ? task.view.base - query.slope() * hidden : -kInfinity,
                        query.slope(), weight_);
  task.scan = &query.scan();
  if (model_.far_point(visit.list.probe.list) != nullptr) {
    task.far.set(query, visit.list.probe.list);
    task.scan = &task.far.scan();
  }
  task.scan->set_shift(spread_ * task.view.distance, prunes ? deviations : 0.0F, task.list);
  if (next != nullptr) task.list.next = next;
}

// Entries [begin, begin + kChunk) of the task's part.
void ListScanner::scan_chunk(ScanTask& task, std::uint32_t begin) const {
  const float threshold = task.visit.query->progress.top.threshold();
  const ScanList chunk = scan_part(task.list, begin, ScanTask::kChunk);
  task.begin = begin;
  task.found = kernels().scan(task.scan->lut(), dim_, chunk, threshold, task.entries.data(),
                              task.bounds.data());
  refiner_.fetch_first(task);
}

// All visits see a part before the next one comes.
void ListScanner::scan(std::span<const Visit> visits, const std::uint8_t* next,
                       ScanScratch& scratch, SearchCounters& counters) const {
  const std::uint32_t list = visits.front().list.probe.list;
  std::uint64_t entries = 0;
  for (ListPart part = part_from(set_, list, 0); part;) {
    const ListPart after = part_after(set_, list, part);
    const std::uint8_t* ahead = after ? after.blocks() : next;
    for (std::size_t begin = 0; begin < visits.size(); begin += kGroup) {
      const std::size_t count = std::min(kGroup, visits.size() - begin);
      const bool last = begin + count == visits.size();
      scan_group(visits.subspan(begin, count), part, last ? ahead : nullptr, scratch, counters);
    }
    entries += part.record->count;
    part = after;
  }
  for (const Visit& visit : visits) count_list(visit.query->progress, entries, counters);
}

// What a query's map of primary lists lacks is computed when a row needs it: the map is not in the
// caches.
void ListScanner::scan_group(std::span<const Visit> visits, const ListPart& part,
                             const std::uint8_t* next, ScanScratch& scratch,
                             SearchCounters& counters) const {
  const std::span<ScanTask> tasks = {scratch.tasks.data(), visits.size()};
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    start(visits[i], part, i + 1 == tasks.size() ? next : nullptr, tasks[i]);
  }
  for (std::uint32_t done = 0; done < part.record->count; done += ScanTask::kChunk) {
    for (ScanTask& task : tasks) scan_chunk(task, done);
    counters.times.lap(Stage::scan);
    for (const ScanTask& task : tasks) refiner_.fetch_spilled(task);
    for (ScanTask& task : tasks) refiner_.refine(task, scratch.refine, counters);
  }
}

// A chunk is scanned with the k-th distance of before its predecessor's survivors are refined;
// those that the new one rules out are dropped when their turn comes.
void ListScanner::walk_part(const Visit& visit, const ListPart& part, const std::uint8_t* next,
                            TaskPair& pair, ScanScratch& scratch, SearchCounters& counters) const {
  const auto refine = [&](ScanTask* task) {
    if (task != nullptr) refiner_.refine(*task, scratch.refine, counters);
  };
  for (std::uint32_t done = 0; done < part.record->count; done += ScanTask::kChunk) {
    ScanTask& task = pair.free();
    start(visit, part, next, task);
    scan_chunk(task, done);
    counters.times.lap(Stage::scan);
    refine(pair.push());
    refiner_.fetch_spilled(task);
    if (!visit.query->progress.top.full()) refine(pair.pop());
  }
}

void ListScanner::walk(ActiveQuery& query, std::span<const RankedProbe> lists,
                       const std::uint8_t* next, ScanScratch& scratch,
                       SearchCounters& counters) const {
  TaskPair pair(scratch.tasks.data());
  for (std::size_t i = 0; i < lists.size(); ++i) {
    const std::uint32_t list = lists[i].probe.list;
    const std::uint8_t* behind =
        i + 1 == lists.size() ? next : first_blocks(set_, lists[i + 1].probe.list);
    if (spilled_) query.progress.views.insert(list, query.prepared.view_of(lists[i].probe));
    std::uint64_t entries = 0;
    for (ListPart part = part_from(set_, list, 0); part;) {
      const ListPart after = part_after(set_, list, part);
      walk_part({&query, lists[i]}, part, after ? after.blocks() : behind, pair, scratch, counters);
      entries += part.record->count;
      part = after;
    }
    count_list(query.progress, entries, counters);
  }
  ScanTask* last = pair.pop();
  if (last != nullptr) refiner_.refine(*last, scratch.refine, counters);
}

}  // namespace obliq
