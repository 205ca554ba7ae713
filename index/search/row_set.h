// A set of row numbers that is cheap to empty: which rows a query has refined, so that the second
// entry of a spilled vector is not refined again. Open addressing, at most half full.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace obliq {

class RowSet {
 public:
  RowSet() { clear(); }

  std::size_t bytes() const {
    return (places_.capacity() + old_.capacity()) * sizeof(std::uint32_t);
  }

  /// Keeps as much room as a query like the last one takes.
  void clear() {
    places_.assign(std::max(kFewest, std::min(places_.size(), std::bit_ceil(4 * size_))), kEmpty);
    size_ = 0;
  }

  /// Adds a row below 2^32 - 1. Returns whether it is new.
  bool insert(std::uint32_t row) {
    std::uint32_t& place = find(row);
    if (place == row) return false;
    place = row;
    if (++size_ * 2 > places_.size()) grow();
    return true;
  }

 private:
  static constexpr std::uint32_t kEmpty = 0xFFFFFFFFU;
  static constexpr std::size_t kFewest = 256;

  /// The place of the row, or an empty one for it.
  std::uint32_t& find(std::uint32_t row) {
    const std::size_t mask = places_.size() - 1;
    std::size_t at = (row * 0x9E3779B97F4A7C15U >> 32) & mask;  // 2^64 / golden ratio (Knuth)
    while (places_[at] != row && places_[at] != kEmpty) at = (at + 1) & mask;
    return places_[at];
  }

  void grow() {
    old_.swap(places_);
    places_.assign(2 * old_.size(), kEmpty);
    for (const std::uint32_t row : old_) {
      if (row != kEmpty) find(row) = row;
    }
  }

  std::vector<std::uint32_t> places_;
  std::vector<std::uint32_t> old_;  ///< kept so that growing allocates once
  std::size_t size_ = 0;
};

}  // namespace obliq
