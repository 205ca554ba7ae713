// A list is scanned by chunks of entries, so that a chunk is in the caches for all queries that
// visit it but the first, and a query's survivors stay few. The rows of all survivors of a chunk
// are on their way before the first of them is refined.
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

// After the last chunk of a list.
void count_list(const ScanTask& task, SearchCounters& counters) {
  SearchProgress& progress = task.visit.query->progress;
  ++progress.lists;
  progress.entries += task.list.count;
  ++counters.lists;
  counters.entries += task.list.count;
}

}  // namespace

ScanScratch::ScanScratch(const Segment& segment) : refine(segment) {
  for (std::size_t i = 0; i < kGroup; ++i) tasks.emplace_back(segment);
}

ListScanner::ListScanner(const Router& router)
    : segment_(router.segment()),
      refiner_(router),
      dim_(segment_.dim()),
      spilled_(segment_.spilled > 0),
      weight_(product_weight(segment_.metric())),
      spread_(segment_.info.sine * std::sqrt(static_cast<float>(dim_) / degrees_of_freedom(dim_))) {
}

void ListScanner::start(const Visit& visit, const ListRecord* next, ScanTask& task) const {
  const PreparedQuery& query = visit.query->prepared;
  const float deviations = visit.query->progress.plan.deviations;
  const bool prunes = std::isfinite(deviations);
  task.visit = visit;
  task.view = query.view_of(visit.list.probe);
  const float hidden = hidden_by_units(*task.view.record, dim_, weight_, task.view.distance);
  task.list = scan_list(*task.view.record, segment_.blocks.data(), dim_,
                        prunes ? task.view.base - query.slope() * hidden : -kInfinity,
                        query.slope(), weight_);
  task.scan = &query.scan();
  if (segment_.far_point(visit.list.probe.list) != nullptr) {
    task.far.set(query, visit.list.probe.list);
    task.scan = &task.far.scan();
  }
  task.scan->set_shift(spread_ * task.view.distance, prunes ? deviations : 0.0F, task.list);
  if (next != nullptr) task.list.next = block_of(segment_.blocks.data(), dim_, next->first);
}

// Entries [begin, begin + kChunk) of the task's list.
void ListScanner::scan_chunk(ScanTask& task, std::uint32_t begin) const {
  const float threshold = task.visit.query->progress.top.threshold();
  const ScanList chunk = scan_part(task.list, begin, ScanTask::kChunk);
  task.first = task.view.record->first + begin;
  task.found = kernels().scan(task.scan->lut(), dim_, chunk, threshold, task.entries.data(),
                              task.bounds.data());
  refiner_.fetch_first(task);
}

void ListScanner::scan(std::span<const Visit> visits, const ListRecord* next, ScanScratch& scratch,
                       SearchCounters& counters) const {
  for (; visits.size() > kGroup; visits = visits.subspan(kGroup)) {
    scan_group(visits.first(kGroup), nullptr, scratch, counters);
  }
  scan_group(visits, next, scratch, counters);
}

// What a query's map of primary lists lacks is computed when a row needs it: the map is not in the
// caches.
void ListScanner::scan_group(std::span<const Visit> visits, const ListRecord* next,
                             ScanScratch& scratch, SearchCounters& counters) const {
  const std::span<ScanTask> tasks = {scratch.tasks.data(), visits.size()};
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    start(visits[i], i + 1 == tasks.size() ? next : nullptr, tasks[i]);
  }
  const std::uint32_t count = tasks.front().list.count;
  for (std::uint32_t done = 0; done < count; done += ScanTask::kChunk) {
    for (ScanTask& task : tasks) scan_chunk(task, done);
    counters.times.lap(Stage::scan);
    for (ScanTask& task : tasks) refiner_.refine(task, scratch.refine, counters);
  }
  for (const ScanTask& task : tasks) count_list(task, counters);
}

// A list is scanned with the k-th distance of before its predecessor's survivors are refined; those
// that the new one rules out are dropped when their turn comes.
void ListScanner::walk(ActiveQuery& query, std::span<const RankedProbe> lists,
                       const ListRecord* next, ScanScratch& scratch,
                       SearchCounters& counters) const {
  TaskPair pair(scratch.tasks.data());
  const auto refine = [&](ScanTask* task) {
    if (task != nullptr) refiner_.refine(*task, scratch.refine, counters);
  };
  for (std::size_t i = 0; i < lists.size(); ++i) {
    const bool last = i + 1 == lists.size();
    const ListRecord* after = last ? next : &segment_.lists[lists[i + 1].probe.list];
    const std::uint32_t count = segment_.lists[lists[i].probe.list].count;
    std::uint32_t done = 0;
    do {
      ScanTask& task = pair.free();
      start({&query, lists[i]}, after, task);
      if (spilled_ && done == 0) query.progress.views.insert(lists[i].probe.list, task.view);
      scan_chunk(task, done);
      counters.times.lap(Stage::scan);
      refine(pair.push());
      if (!query.progress.top.full()) refine(pair.pop());
      done += ScanTask::kChunk;
      if (done >= count) count_list(task, counters);
    } while (done < count);
  }
  refine(pair.pop());
}

}  // namespace obliq
