// The vectors that a segment remembers: exact ones from the raw tier, else what the codes decode
// to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include "index/segment/segment.h"

namespace obliq {

/// Any number of threads may decode. The first decoding from codes notes the place of every row: 16
/// bytes per vector, a pass over all entries.
class RowDecoder {
 public:
  /// The segment outlives this.
  explicit RowDecoder(const Segment& segment) : segment_(segment) {}

  /// Writes the vector of a row below n, dim floats in the space of the base (cosine: of unit
  /// length, or zero). Throws std::runtime_error when a damaged segment has no entry of it.
  void vector(std::size_t row, float* out);

 private:
  void find_entries();
  void take_back(std::size_t list, float* out) const;
  const PrimaryEntry& entry_of(std::size_t row) const;
  bool is_primary(std::size_t row, std::size_t list) const;
  void decode(std::size_t row, float* out);

  const Segment& segment_;
  std::once_flag found_;
  std::vector<PrimaryEntry> entries_;  ///< of each row
};

}  // namespace obliq
