// Which rows of a segment a merge keeps. While all are kept it takes no memory, else a bit per row
// and some.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace obliq {

class KeptRows {
 public:
  explicit KeptRows(std::size_t rows) : rows_(rows) {}

  void drop(std::uint32_t row) {
    if (words_.empty()) words_.assign(rows_ / 64 + 1, ~std::uint64_t{0});
    words_[row / 64] &= ~(std::uint64_t{1} << row % 64);
  }
  /// Call once, behind the last drop().
  void count() {
    std::uint32_t sum = 0;
    before_.reserve(words_.size());
    for (const std::uint64_t word : words_) {
      before_.push_back(sum);
      sum += static_cast<std::uint32_t>(std::popcount(word));
    }
  }

  bool keeps_all() const { return words_.empty(); }
  bool keeps(std::uint32_t row) const {
    return words_.empty() || (words_[row / 64] >> row % 64 & 1) != 0;
  }
  /// The number of rows below this one that are kept. Requires row <= rows, and count().
  std::uint32_t before(std::uint32_t row) const {
    if (words_.empty()) return row;
    const std::uint64_t below = words_[row / 64] & ((std::uint64_t{1} << row % 64) - 1);
    return before_[row / 64] + static_cast<std::uint32_t>(std::popcount(below));
  }

 private:
  std::size_t rows_;
  std::vector<std::uint64_t> words_;
  std::vector<std::uint32_t> before_;  // of each word
};

}  // namespace obliq
