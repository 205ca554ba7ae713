// A set of rows of a segment, a bit each: which are deleted.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace obliq {

class RowBits {
 public:
  explicit RowBits(std::size_t rows) : rows_(rows), words_((rows + 63) / 64) {}

  std::size_t rows() const { return rows_; }
  bool has(std::uint32_t row) const { return (words_[row / 64] >> row % 64 & 1) != 0; }
  /// Returns whether the row is new.
  bool add(std::uint32_t row) {
    const bool is_new = !has(row);
    words_[row / 64] |= std::uint64_t{1} << row % 64;
    count_ += is_new ? 1 : 0;
    return is_new;
  }
  std::size_t count() const { return count_; }
  std::span<const std::uint64_t> words() const { return words_; }

  /// Calls take(row) for each, by rising number.
  template <typename Take>
  void for_each(Take take) const {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      for (std::uint64_t left = words_[i]; left != 0; left &= left - 1) {
        take(static_cast<std::uint32_t>(64 * i + static_cast<std::size_t>(std::countr_zero(left))));
      }
    }
  }

 private:
  std::size_t rows_;
  std::size_t count_ = 0;
  std::vector<std::uint64_t> words_;
};

}  // namespace obliq
