// Finds vectors by their ids.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "index/segment/segment_set.h"

namespace obliq {

/// Stands for none where a slot is named.
inline constexpr std::uint32_t kNoSlot = std::numeric_limits<std::uint32_t>::max();

/// The row of an id in one segment, deleted or not; kNoSlot where it has none.
std::uint32_t row_of(const Segment& segment, std::int64_t id);

/// The slot of an id; kNoSlot where it is not there. Cost: with ids a binary search in each
/// segment; with positions one in each list of each segment.
std::uint32_t slot_of(const SegmentSet& set, std::int64_t id);
/// The same of many ids, which may repeat. Cost: with positions one pass over them.
std::vector<std::uint32_t> slots_of(const SegmentSet& set, std::span<const std::int64_t> ids);

}  // namespace obliq
