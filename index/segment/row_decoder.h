// The vectors that segments remember: exact ones from the raw tier, else what the codes decode to.
#pragma once

#include <cstddef>
#include <cstdint>

#include "index/segment/segment_set.h"

namespace obliq {

/// Any number of threads may decode.
class RowDecoder {
 public:
  /// The set outlives this.
  explicit RowDecoder(const SegmentSet& set) : set_(set) {}

  /// Writes the vector of a slot, dim floats in the space of the base (cosine: of unit length, or
  /// zero). Throws std::runtime_error when a damaged segment has no list of it. Cost beyond the
  /// vector's: a binary search over the lists.
  void vector(std::uint32_t slot, float* out) const;

 private:
  void take_back(std::uint32_t list, float* out) const;
  void decode(const Segment& segment, std::uint32_t row, std::size_t record, float* out) const;

  const SegmentSet& set_;
};

/// Of a row its primary list's record, by its place in the segment's directory. Throws
/// std::runtime_error when a damaged segment has none.
std::size_t primary_record_of(const Segment& segment, std::uint32_t row);

}  // namespace obliq
