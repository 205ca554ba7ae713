// Columns that no segment has are no columns of a segment that is made of them.
#include "collection/column_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "collection/column_schema.h"
#include "index/columns/column_table.h"
#include "index/segment/slot_values.h"

namespace obliq {
Columns stored_values(const SegmentSet& set, const ColumnSchema& schema,
                      std::span<const std::uint32_t> slots) {
  Columns columns;
  for (const ColumnSpec& column : schema) {
    const bool is_there = std::ranges::any_of(set.segments(), [&](const Segment& segment) {
      return segment.columns != nullptr && segment.columns->find(column.name) != nullptr;
    });
    if (is_there) columns.push_back(values_of(set, column, slots));
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

Columns null_columns(const Snapshot& now, std::size_t rows, std::span<const std::string> names) {
  Columns columns;
  for (const std::string& name : names) {
    ColumnValues& values = columns.emplace_back(require_column(*now.schema(), name));
    for (std::size_t i = 0; i < rows; ++i) values.add_null();
  }
  return columns;
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
