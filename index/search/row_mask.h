// Which rows may be answers: a bit per row, asked before a row is refined. A search over segments
// names rows by their slots (segment/segment_set.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace obliq {

class RowMask {
 public:
  /// A mask that allows all of `rows` rows.
  explicit RowMask(std::size_t rows) : words_((rows + 63) / 64, ~std::uint64_t{0}) {}

  bool allows(std::uint32_t row) const { return (words_[row / 64] >> (row % 64) & 1) != 0; }
  void allow(std::uint32_t row) { words_[row / 64] |= std::uint64_t{1} << (row % 64); }
  void exclude(std::uint32_t row) { words_[row / 64] &= ~(std::uint64_t{1} << (row % 64)); }

 private:
  std::vector<std::uint64_t> words_;
};

}  // namespace obliq
