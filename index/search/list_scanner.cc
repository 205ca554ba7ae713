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

// After the last list of a walk.
void count_rows(SearchProgress& progress, const PartWalk& parts) {
  progress.met.rows += parts.met().rows;
  progress.met.allowed += parts.met().allowed;
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

void ListScanner::start(const Visit& visit, const ListPart& part, const NextBlocks& next,
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
  if (part.allowed != nullptr) {
    task.list.mask = part.allowed->words.data();
    task.list.mask_begin = part.record->first_row;
    task.list.masked = part.record->primaries;
  }
  task.scan->set_shift(spread_ * task.view.distance, prunes ? deviations : 0.0F, task.list);
  task.list.next = next;
}

// Entries [begin, begin + kChunk) of the task's part.
void ListScanner::scan_entries(ScanTask& task, std::uint32_t begin) const {
  const float threshold = task.visit.query->progress.top.threshold();
  const ScanList chunk = scan_part(task.list, begin, ScanTask::kChunk);
  task.begin = begin;
  task.found = kernels().scan(task.scan->lut(), dim_, chunk, threshold, task.entries.data(),
                              task.bounds.data());
}

// The same, and what is refined first is on its way.
void ListScanner::scan_chunk(ScanTask& task, std::uint32_t begin) const {
  scan_entries(task, begin);
  refiner_.fetch_first(task);
}

void ListScanner::ask_for_blocks(const ActiveQuery& query, std::span<const RankedProbe> lists,
                                 ScanScratch& scratch) const {
  const std::size_t spilled = spilled_bytes(model_.nlist());
  for (PartWalk parts(set_, lists, query.progress.plan.filter, {}); parts.part(); parts.advance()) {
    const ListPart& part = parts.part();
    const std::uint64_t first = part.record->first / kBlockEntries;
    const std::uint64_t end =
        (part.record->first + part.record->count + kBlockEntries - 1) / kBlockEntries;
    scratch.refine.ahead.add(part.blocks(), (end - first) * block_bytes(dim_));
    scratch.refine.ahead.add(part.segment->spilled.data() + part.record->first_spilled * spilled,
                             part.record->spilled() * spilled);
  }
  scratch.refine.ahead.submit();
}

void ListScanner::ask_for_rows(ActiveQuery& query, std::span<const RankedProbe> lists,
                               ScanScratch& scratch) const {
  ScanTask& task = scratch.tasks.front();
  PartWalk parts(set_, lists, query.progress.plan.filter, {});
  for (std::size_t i = 0; i < lists.size(); ++i) {
    for (; parts.is_at(i); parts.advance()) {
      start({&query, lists[i]}, parts.part(), {}, task);
      for (std::uint32_t done = 0; done < task.list.count; done += ScanTask::kChunk) {
        scan_entries(task, done);
        refiner_.add_rows(task, scratch.refine);
      }
    }
    scratch.refine.ahead.submit();
  }
}

// All visits see a part before the next one comes, but those that have no k-th distance yet.
void ListScanner::scan(std::span<Visit> visits, const NextBlocks& next, ScanScratch& scratch,
                       SearchCounters& counters) const {
  const auto alone = std::partition(visits.begin(), visits.end(), [](const Visit& visit) {
    return visit.query->progress.top.has_threshold();
  });
  for (const Visit& visit : std::span(alone, visits.end())) {
    walk(*visit.query, {&visit.list, 1}, next, scratch, counters);
  }
  const std::span<const Visit> together(visits.begin(), alone);
  const RowFilter* filter = visits.front().query->progress.plan.filter;  // the same for all
  PartWalk parts(set_, {&visits.front().list, 1}, filter, next);
  for (; parts.part(); parts.advance()) {
    for (std::size_t begin = 0; begin < together.size(); begin += kGroup) {
      const std::size_t count = std::min(kGroup, together.size() - begin);
      const bool last = begin + count == together.size();
      scan_group(together.subspan(begin, count), parts.part(), last ? parts.next() : NextBlocks{},
                 scratch, counters);
    }
  }
  const std::uint64_t entries = parts.take_entries();
  for (const Visit& visit : together) {
    count_list(visit.query->progress, entries, counters);
    count_rows(visit.query->progress, parts);
  }
}

// What a query's map of primary lists lacks is computed when a row needs it: the map is not in the
// caches.
void ListScanner::scan_group(std::span<const Visit> visits, const ListPart& part,
                             const NextBlocks& next, ScanScratch& scratch,
                             SearchCounters& counters) const {
  const std::span<ScanTask> tasks = {scratch.tasks.data(), visits.size()};
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    start(visits[i], part, i + 1 == tasks.size() ? next : NextBlocks{}, tasks[i]);
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
void ListScanner::walk_part(const Visit& visit, const PartWalk& parts, std::uint32_t begin,
                            TaskPair& pair, ScanScratch& scratch, SearchCounters& counters) const {
  for (; begin < parts.part().record->count; begin += ScanTask::kChunk) {
    ScanTask& task = pair.free();
    start(visit, parts.part(), parts.next(), task);
    scan_chunk(task, begin);
    counters.times.lap(Stage::scan);
    ScanTask* before = pair.push();
    if (before != nullptr) refiner_.refine(*before, scratch.refine, counters);
    refiner_.fetch_spilled(task);
  }
}

// Chunks of a list before there is a k-th distance, of several segments where they are small: they
// are refined as if they were one. Returns the first entry of the part that is not scanned.
std::uint32_t ListScanner::walk_first(const Visit& visit, std::size_t list, PartWalk& parts,
                                      std::uint32_t begin, ScanScratch& scratch,
                                      SearchCounters& counters) const {
  std::size_t chunks = 0;
  std::uint32_t scanned = 0;
  while (parts.is_at(list) && chunks < kGroup && scanned < ScanTask::kChunk) {
    ScanTask& task = scratch.tasks[chunks++];
    start(visit, parts.part(), parts.next(), task);
    scan_chunk(task, begin);
    const std::uint32_t count = task.scanned();
    scanned += count;
    begin += count;
    if (begin < parts.part().record->count) continue;
    parts.advance();
    begin = 0;
  }
  counters.times.lap(Stage::scan);
  refiner_.refine_best({scratch.tasks.data(), chunks}, scratch.refine, counters);
  return begin;
}

void ListScanner::walk(ActiveQuery& query, std::span<const RankedProbe> lists,
                       const NextBlocks& next, ScanScratch& scratch,
                       SearchCounters& counters) const {
  SearchProgress& progress = query.progress;
  TaskPair pair(scratch.tasks.data());
  PartWalk parts(set_, lists, progress.plan.filter, next);
  for (std::size_t i = 0; i < lists.size(); ++i) {
    const Visit visit = {&query, lists[i]};
    const std::uint32_t list = lists[i].probe.list;
    if (spilled_) progress.views.insert(list, query.prepared.view_of(lists[i].probe));
    std::uint32_t begin = 0;
    while (parts.is_at(i) && !progress.top.has_threshold()) {
      begin = walk_first(visit, i, parts, begin, scratch, counters);
    }
    for (; parts.is_at(i); parts.advance(), begin = 0) {
      walk_part(visit, parts, begin, pair, scratch, counters);
    }
    count_list(progress, parts.take_entries(), counters);
  }
  count_rows(progress, parts);
  ScanTask* last = pair.pop();
  if (last != nullptr) refiner_.refine(*last, scratch.refine, counters);
}

}  // namespace obliq
