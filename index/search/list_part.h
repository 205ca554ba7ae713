// The entries of a list in one segment: what is scanned at a time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "index/segment/segment_set.h"

namespace obliq {

struct ListPart {
  const Segment* segment = nullptr;  ///< null: no further segment has entries of the list
  const ListRecord* record = nullptr;
  std::uint32_t first_slot = 0;  ///< of the segment's row 0
  std::size_t number = 0;        ///< of the segment

  explicit operator bool() const { return segment != nullptr; }
  /// The block of its first entry.
  const std::uint8_t* blocks() const {
    return block_of(segment->blocks.data(), segment->dim(), record->first);
  }
};

/// The entries of a list in the first segment from `number` on that has some.
inline ListPart part_from(const SegmentSet& set, std::uint32_t list, std::size_t number) {
  for (; number < set.segments().size(); ++number) {
    const Segment& segment = set.segments()[number];
    const ListRecord* record = segment.lists.find(list);
    if (record == nullptr || record->count == 0) continue;
    return {&segment, record, set.first_slot(number), number};
  }
  return {};
}
/// The same after `part`.
inline ListPart part_after(const SegmentSet& set, std::uint32_t list, const ListPart& part) {
  return part_from(set, list, part.number + 1);
}
/// Where the entries of a list begin, or null: for fetching them.
inline const std::uint8_t* first_blocks(const SegmentSet& set, std::uint32_t list) {
  const ListPart part = part_from(set, list, 0);
  return part ? part.blocks() : nullptr;
}

}  // namespace obliq
