// A segment is asked for its column once, then row by row.
#include "collection/column_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "collection/column_schema.h"
#include "index/columns/column_table.h"

namespace obliq {
namespace {

std::vector<const StoredColumn*> stored_in(const SegmentSet& set, const ColumnSpec& column) {
  std::vector<const StoredColumn*> stored;
  for (const Segment& segment : set.segments()) {
    stored.push_back(segment.columns == nullptr ? nullptr : segment.columns->find(column.name));
  }
  return stored;
}

ColumnValues taken(const SegmentSet& set, const ColumnSpec& column,
                   std::span<const StoredColumn* const> stored,
                   std::span<const std::uint32_t> slots) {
  ColumnValues values(column);
  for (const std::uint32_t slot : slots) {
    const std::size_t segment = set.segment_of(slot);
    add_stored(stored[segment], slot - set.first_slot(segment), values);
  }
  return values;
}

}  // namespace

ColumnValues values_of(const SegmentSet& set, const ColumnSpec& column,
                       std::span<const std::uint32_t> slots) {
  return taken(set, column, stored_in(set, column), slots);
}

Columns stored_values(const SegmentSet& set, const ColumnSchema& schema,
                      std::span<const std::uint32_t> slots) {
  Columns columns;
  for (const ColumnSpec& column : schema) {
    const auto stored = stored_in(set, column);
    const bool is_there =
        std::ranges::any_of(stored, [](const StoredColumn* one) { return one != nullptr; });
    if (is_there) columns.push_back(taken(set, column, stored, slots));
  }
  return columns;
}

std::vector<PartRow> places_of(const Snapshot& now, std::span<const std::int64_t> ids) {
  std::vector<PartRow> places;
  places.reserve(ids.size());
  for (const std::int64_t id : ids) {
    const auto place = now.find(id);
    if (!place) throw std::invalid_argument(fmt::format("id {} is not in the collection", id));
    places.push_back(*place);
  }
  return places;
}

Columns columns_of(const Snapshot& now, std::span<const std::int64_t> ids,
                   std::span<const std::string> names) {
  ColumnSchema wanted;
  for (const std::string& name : names) wanted.push_back(require_column(*now.schema(), name));
  if (names.empty()) wanted = *now.schema();
  std::vector<std::uint32_t> slots;
  Columns columns;
  const std::vector<PartRow> places = places_of(now, ids);
  if (places.empty()) return {wanted.begin(), wanted.end()};
  const SegmentSet& set = IndexAccess::segments(now.index());
  for (const PartRow& place : places) slots.push_back(set.first_slot(place.part) + place.row);
  for (const ColumnSpec& column : wanted) columns.push_back(values_of(set, column, slots));
  return columns;
}

}  // namespace obliq
