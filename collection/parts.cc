#include "collection/parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include "collection/key_check.h"
#include "collection/part_keys.h"
#include "index/segment/id_lookup.h"

namespace obliq {

std::size_t bytes_of(std::span<const ColumnValues> columns) {
  return std::accumulate(
      columns.begin(), columns.end(), std::size_t{0},
      [](std::size_t sum, const ColumnValues& column) { return sum + column.bytes(); });
}

bool is_in(const std::vector<Part>& parts, const Part& part) {
  return std::any_of(parts.begin(), parts.end(),
                     [&](const Part& other) { return other.segment.owner == part.segment.owner; });
}

void refuse_known(const Snapshot& now, const GivenNames& names) {
  if (names.replaces) return;
  for (std::size_t i = 0; i < names.keys.size(); ++i) {
    if (!find_key(now, names.keys[i])) continue;
    throw std::invalid_argument(
        fmt::format("id {} at position {} is there already: use upsert to replace its vector",
                    shown_key(names.keys[i]), i));
  }
  for (std::size_t i = 0; i < names.ids.rows; ++i) {
    if (!now.find(names.ids.data[i])) continue;
    throw std::invalid_argument(
        fmt::format("id {} is there already: use upsert to replace its vector", names.ids.data[i]));
  }
}

std::size_t live_rows(const std::vector<Part>& parts) {
  return std::accumulate(parts.begin(), parts.end(), std::size_t{0},
                         [](std::size_t sum, const Part& part) { return sum + part.live(); });
}

std::vector<MergeSource> sources_of(std::span<const Part> parts) {
  std::vector<MergeSource> sources;
  sources.reserve(parts.size());
  for (const Part& part : parts) {
    sources.push_back(
        {part.segment, fmt::format("segment {:016x}", part.file), part.deleted.get()});
  }
  return sources;
}

void delete_since(const std::vector<Part>& from, const std::vector<Part>& now,
                  std::vector<Part>& parts) {
  Deletion deletion(parts);
  for (const Part& then : from) {
    for (const Part& part : now) {
      if (part.segment.owner != then.segment.owner || part.deleted == nullptr) continue;
      part.deleted->for_each([&](std::uint32_t row) {
        if (then.deleted != nullptr && then.deleted->has(row)) return;
        const std::uint32_t place = row_of(parts.back().segment, part.segment.id(row));
        if (place != kNoSlot) deletion.add({parts.size() - 1, place});
      });
    }
  }
}

}  // namespace obliq
