// Few ids are looked up one by one. Many are compared with the ids of the segment in rising order;
// positions, which have no such order, with a bit for each position.
#include "index/filter/id_set.h"

#include <algorithm>

#include "index/filter/row_filter.h"
#include "index/segment/id_lookup.h"

namespace obliq {
namespace {

// Calls take(row) for each of the ids that the segment has.
template <typename Take>
void join_sorted(const Segment& segment, std::span<const std::int64_t> ids, Take take) {
  std::size_t next = 0;
  for (const std::uint32_t row : segment.sorted_rows) {
    if (row >= segment.info.rows) continue;  // damaged
    const std::int64_t id = segment.ids[row];
    while (next < ids.size() && ids[next] < id) ++next;
    if (next < ids.size() && ids[next] == id) take(row);
  }
}

template <typename Take>
void join_positions(const Segment& segment, std::span<const std::int64_t> ids, Take take) {
  std::vector<bool> named;
  for (const std::int64_t id : ids) {
    if (id < 0 || id > 0xFFFFFFFFLL) continue;
    if (named.size() <= static_cast<std::size_t>(id))
      named.resize(static_cast<std::size_t>(id) + 1);
    named[static_cast<std::size_t>(id)] = true;
  }
  for (std::uint32_t row = 0; row < segment.info.rows; ++row) {
    const std::uint32_t position = segment.positions[row];
    if (position < named.size() && named[position]) take(row);
  }
}

template <typename Take>
void for_rows(const Segment& segment, std::span<const std::int64_t> ids, Take take) {
  constexpr std::size_t kLookUp = 32;  // rows that are passed in the time of one look-up
  if (segment.info.has_ids == 0) return join_positions(segment, ids, take);
  if (ids.size() * kLookUp > segment.info.n) return join_sorted(segment, ids, take);
  for (const std::int64_t id : ids) {
    const std::uint32_t row = row_of(segment, id);
    if (row != kNoSlot) take(row);
  }
}

}  // namespace

IdSet::IdSet(std::span<const std::int64_t> ids, bool allowed)
    : ids_(ids.begin(), ids.end()), allowed_(allowed) {
  std::ranges::sort(ids_);
  ids_.erase(std::unique(ids_.begin(), ids_.end()), ids_.end());
}

std::vector<std::uint64_t> IdSet::rows(const Segment& segment) const {
  std::vector<std::uint64_t> words = words_for(segment);
  for_rows(segment, ids_, [&](std::uint32_t row) { set_row(words, row); });
  if (allowed_) return words;
  std::vector<std::uint64_t> others = all_words_for(segment);
  for (std::size_t i = 0; i < words.size(); ++i) others[i] &= ~words[i];
  return others;
}

}  // namespace obliq
