// Values of columns of rows that lie in several segments.
#pragma once

#include <cstdint>
#include <span>

#include "index/segment/segment_set.h"

namespace obliq {

/// The values of one column in the order of the slots: NULL for kNoSlot, and where a segment does
/// not have it. Throws std::runtime_error where a damaged segment has none of its type.
ColumnValues values_of(const SegmentSet& set, const ColumnSpec& column,
                       std::span<const std::uint32_t> slots);

}  // namespace obliq
