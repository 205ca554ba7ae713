// The entries of lists in several segments, one part after the other, and the blocks behind each:
// what to fetch while a part is scanned.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "core/kernels/kernels.h"
#include "core/prefetch.h"
#include "index/search/list_part.h"
#include "index/search/search_progress.h"
#include "index/segment/segment_set.h"

namespace obliq {

class PartWalk {
 public:
  /// Begins at the first part of the first list that has one. `filter` leaves out parts of which no
  /// row may be an answer; null: none. `behind` are blocks that are likely to be scanned after all
  /// parts. `lists` and `filter` outlive this.
  PartWalk(const SegmentSet& set, std::span<const RankedProbe> lists, const RowFilter* filter,
           NextBlocks behind)
      : set_(set), lists_(lists), filter_(filter), behind_(behind) {
    for (Place& place : window_) place = find();
  }

  /// Whether the part is one of lists[list].
  bool is_at(std::size_t list) const { return part() && window_[0].list == list; }
  const ListPart& part() const { return window_[0].part; }
  /// The two blocks to be scanned first, and those to be scanned after the part.
  NextBlocks first() const { return begin_of(window_[0].part, window_[1].part); }
  NextBlocks next() const { return begin_of(window_[1].part, window_[2].part); }
  void advance() {
    entries_ += part().record->count;
    window_[0] = window_[1];
    window_[1] = window_[2];
    window_[2] = find();
  }
  /// With a filter, of the lists looked at so far.
  const RowCounts& met() const { return met_; }
  /// Entries of the parts that were passed since it was asked last.
  std::uint64_t take_entries() { return std::exchange(entries_, 0); }

 private:
  struct Place {
    ListPart part;
    std::size_t list = 0;  ///< its place among the lists
  };

  NextBlocks begin_of(const ListPart& part, const ListPart& then) const {
    if (!part) return behind_;
    if (const std::uint8_t* second = part.second_block()) return {part.blocks(), second};
    return {part.blocks(), then ? then.blocks() : behind_.first};
  }
  // The next part that has entries.
  Place find() {
    for (; list_ < lists_.size(); ++list_, segment_ = 0) {
      const std::uint32_t list = lists_[list_].probe.list;
      if (segment_ == 0) fetch_records(list_ + 1);
      while (segment_ < set_.segments().size()) {
        const std::size_t number = segment_++;
        const Segment& segment = set_.segments()[number];
        const ListRecord* record = segment.lists.find(list);
        if (record == nullptr || record->count == 0) continue;
        const AllowedRows* allowed = filter_ == nullptr ? nullptr : filter_->segments[number].get();
        if (allowed != nullptr) {
          const std::uint32_t count = allowed->in_list[segment.lists.place_of(*record)];
          met_.rows += record->is_foreign() ? 0 : record->primaries;
          met_.allowed += count;
          if (count == 0) continue;
        }
        return {{&segment, record, set_.first_slot(number), set_.deleted(number), allowed}, list_};
      }
    }
    return {};
  }
  void fetch_records(std::size_t place) const {
    if (place >= lists_.size()) return;
    const std::uint32_t list = lists_[place].probe.list;
    for (const Segment& segment : set_.segments()) {
      if (!segment.lists.is_sparse()) prefetch(&segment.lists.records()[list], sizeof(ListRecord));
    }
  }

  const SegmentSet& set_;
  std::span<const RankedProbe> lists_;
  const RowFilter* filter_;
  NextBlocks behind_;
  std::size_t list_ = 0;  // where find() goes on
  std::size_t segment_ = 0;
  std::uint64_t entries_ = 0;
  RowCounts met_;
  Place window_[3];  // the part and the two after it
};

/// The first blocks of a list, for fetching them.
inline NextBlocks first_blocks(const SegmentSet& set, std::uint32_t list) {
  RankedProbe probe = {};
  probe.probe.list = list;
  return PartWalk(set, {&probe, 1}, nullptr, {}).first();
}

}  // namespace obliq
