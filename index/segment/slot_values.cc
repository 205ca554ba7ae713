// A segment is asked for its column once, then row by row.
#include "index/segment/slot_values.h"

#include <vector>

#include "index/segment/id_lookup.h"

namespace obliq {

ColumnValues values_of(const SegmentSet& set, const ColumnSpec& column,
                       std::span<const std::uint32_t> slots) {
  std::vector<const StoredColumn*> stored;
  for (const Segment& segment : set.segments()) {
    stored.push_back(segment.columns == nullptr ? nullptr : segment.columns->find(column.name));
  }
  ColumnValues values(column);
  for (const std::uint32_t slot : slots) {
    if (slot == kNoSlot) {
      values.add_null();
      continue;
    }
    const std::size_t segment = set.segment_of(slot);
    add_stored(stored[segment], slot - set.first_slot(segment), values);
  }
  return values;
}

}  // namespace obliq
