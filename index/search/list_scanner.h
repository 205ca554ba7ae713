// Scans lists for queries and has their survivors refined (docs/design.md): the stages scan, refine
// and raw.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "index/search/part_walk.h"
#include "index/search/router.h"
#include "index/search/row_refiner.h"
#include "index/search/scan_task.h"
#include "index/segment/segment_set.h"

namespace obliq {

/// Scratch memory of scanning. One for each thread.
struct ScanScratch {
  explicit ScanScratch(const TrainedModel& model);

  std::vector<ScanTask> tasks;
  RefineScratch refine;
};

/// One for an index; threads share it, each with a ScanScratch of its own.
class ListScanner {
 public:
  /// The router outlives this.
  explicit ListScanner(const Router& router);

  /// Brings the answers of a list, in all segments, to the queries that visit it, one or more. A
  /// query is there once at the most. Changes the order of the visits. `next` is fetched.
  void scan(std::span<Visit> visits, const NextBlocks& next, ScanScratch& scratch,
            SearchCounters& counters) const;
  /// Brings the answers of lists to a query, in their order: what scan() does list by list, but the
  /// rows of a chunk's survivors are on their way while the next chunk is scanned, of whatever list
  /// and segment.
  void walk(ActiveQuery& query, std::span<const RankedProbe> lists, const NextBlocks& next,
            ScanScratch& scratch, SearchCounters& counters) const;

  /// Where segments read ahead, asks for what walk() over lists will read, as far as the k-th
  /// distance of now tells: for their blocks at once, then list by list for the rows.
  void ask_for_blocks(const ActiveQuery& query, std::span<const RankedProbe> lists,
                      ScanScratch& scratch) const;
  void ask_for_rows(ActiveQuery& query, std::span<const RankedProbe> lists,
                    ScanScratch& scratch) const;

 private:
  void start(const Visit& visit, const ListPart& part, const NextBlocks& next,
             ScanTask& task) const;
  void scan_entries(ScanTask& task, std::uint32_t begin) const;
  void scan_chunk(ScanTask& task, std::uint32_t begin) const;
  void scan_group(std::span<const Visit> visits, const ListPart& part, const NextBlocks& next,
                  ScanScratch& scratch, SearchCounters& counters) const;
  void walk_part(const Visit& visit, const PartWalk& parts, std::uint32_t begin, TaskPair& pair,
                 ScanScratch& scratch, SearchCounters& counters) const;
  std::uint32_t walk_first(const Visit& visit, std::size_t list, PartWalk& parts,
                           std::uint32_t begin, ScanScratch& scratch,
                           SearchCounters& counters) const;

  const SegmentSet& set_;
  const TrainedModel& model_;
  const RowRefiner refiner_;
  const std::size_t dim_;
  const bool spilled_;
  const float weight_;  ///< of <x^,q> in a distance
  const float spread_;  ///< standard deviation that signs leave in <s,q>, for |q-c| = 1
};

}  // namespace obliq
