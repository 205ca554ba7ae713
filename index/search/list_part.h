// The entries of a list in one segment: what is scanned at a time.
#pragma once

#include <cstddef>
#include <cstdint>

#include "index/filter/row_filter.h"
#include "index/segment/row_bits.h"
#include "index/segment/segment.h"

namespace obliq {

struct ListPart {
  const Segment* segment = nullptr;  ///< null: there is none
  const ListRecord* record = nullptr;
  std::uint32_t first_slot = 0;      ///< of the segment's row 0
  const RowBits* deleted = nullptr;  ///< rows of the segment that are no answers; null: none
  /// The rows of the segment that may be answers, none of them deleted; null: all.
  const AllowedRows* allowed = nullptr;

  explicit operator bool() const { return segment != nullptr; }
  /// The block of its first entry.
  const std::uint8_t* blocks() const {
    return block_of(segment->blocks.data(), segment->dim(), record->first);
  }
  /// The block after that, or null.
  const std::uint8_t* second_block() const {
    const bool is_long = record->first % kBlockEntries + record->count > kBlockEntries;
    return is_long ? blocks() + block_bytes(segment->dim()) : nullptr;
  }
};

}  // namespace obliq
