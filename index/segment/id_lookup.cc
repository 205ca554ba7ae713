// Ids that were given have a sorted list of rows; positions rise within each list. Foreign rows
// and deleted ones are not looked at.
#include "index/segment/id_lookup.h"

#include <algorithm>
#include <unordered_map>

namespace obliq {
namespace {

// Row numbers of a damaged file may lead anywhere.
std::uint32_t row_by_sorted(const Segment& segment, std::int64_t id) {
  const auto id_of = [&](std::uint32_t row) {
    return row < segment.ids.size() ? segment.ids[row] : -1;
  };
  // Segments of a collection mostly hold a range of ids: most look-ups end here.
  if (segment.sorted_rows.empty() || id < id_of(segment.sorted_rows.front()) ||
      id > id_of(segment.sorted_rows.back())) {
    return kNoSlot;
  }
  const auto place =
      std::lower_bound(segment.sorted_rows.begin(), segment.sorted_rows.end(), id,
                       [&](std::uint32_t row, std::int64_t wanted) { return id_of(row) < wanted; });
  const bool found = place != segment.sorted_rows.end() && id_of(*place) == id;
  return found ? *place : kNoSlot;
}

std::uint32_t row_by_lists(const Segment& segment, std::int64_t id) {
  if (id < 0 || id > std::numeric_limits<std::uint32_t>::max()) return kNoSlot;
  const auto position = static_cast<std::uint32_t>(id);
  for (const ListRecord& record : segment.lists.records()) {
    if (record.is_foreign() || record.primaries == 0) continue;
    const auto rows = segment.positions.subspan(record.first_row, record.primaries);
    if (position < rows.front() || position > rows.back()) continue;
    const auto place = std::lower_bound(rows.begin(), rows.end(), position);
    if (place != rows.end() && *place == position) {
      return record.first_row + static_cast<std::uint32_t>(place - rows.begin());
    }
  }
  return kNoSlot;
}

}  // namespace

std::uint32_t row_of(const Segment& segment, std::int64_t id) {
  return segment.info.has_ids != 0 ? row_by_sorted(segment, id) : row_by_lists(segment, id);
}

std::uint32_t slot_of(const SegmentSet& set, std::int64_t id) {
  for (std::size_t s = 0; s < set.segments().size(); ++s) {
    const std::uint32_t row = row_of(set.segments()[s], id);
    if (row != kNoSlot && !set.is_deleted(s, row)) return set.first_slot(s) + row;
  }
  return kNoSlot;
}

std::vector<std::uint32_t> slots_of(const SegmentSet& set, std::span<const std::int64_t> ids) {
  std::unordered_map<std::int64_t, std::uint32_t> found;
  for (const std::int64_t id : ids) found.emplace(id, kNoSlot);
  for (std::size_t s = 0; s < set.segments().size(); ++s) {
    const Segment& segment = set.segments()[s];
    if (segment.info.has_ids != 0) {
      for (auto& [id, slot] : found) {
        const std::uint32_t row = slot == kNoSlot ? row_by_sorted(segment, id) : kNoSlot;
        if (row != kNoSlot && !set.is_deleted(s, row)) slot = set.first_slot(s) + row;
      }
      continue;
    }
    for (const ListRecord& record : segment.lists.records()) {
      for (std::uint32_t i = 0; i < record.primaries && !record.is_foreign(); ++i) {
        const std::uint32_t row = record.first_row + i;
        const auto place = found.find(segment.positions[row]);
        if (place == found.end() || set.is_deleted(s, row)) continue;
        place->second = set.first_slot(s) + row;
      }
    }
  }
  std::vector<std::uint32_t> slots;
  slots.reserve(ids.size());
  for (const std::int64_t id : ids) slots.push_back(found.at(id));
  return slots;
}

}  // namespace obliq
