// A set of rows of a segment, a bit each: which are deleted. Copies share what they do not change.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace obliq {

/// A copy that is changed copies 8 kB for each 65,536 rows that it changes.
class RowBits {
 public:
  explicit RowBits(std::size_t rows) : rows_(rows), chunks_((rows + kChunk - 1) / kChunk) {}

  std::size_t rows() const { return rows_; }
  std::size_t count() const { return count_; }
  bool has(std::uint32_t row) const {
    const Words* words = chunks_[row / kChunk].get();
    return words != nullptr && ((*words)[row % kChunk / 64] >> row % 64 & 1) != 0;
  }
  /// Returns whether the row is new.
  bool add(std::uint32_t row) {
    if (has(row)) return false;
    std::shared_ptr<Words>& words = chunks_[row / kChunk];
    if (words == nullptr) {
      words = std::make_shared<Words>();
    } else if (words.use_count() > 1) {
      words = std::make_shared<Words>(*words);
    }
    (*words)[row % kChunk / 64] |= std::uint64_t{1} << row % 64;
    ++count_;
    return true;
  }
  /// A bit per row, and zeros behind.
  std::vector<std::uint64_t> words() const {
    std::vector<std::uint64_t> all;
    for (const auto& words : chunks_) {
      const Words none = {};
      const Words& these = words == nullptr ? none : *words;
      all.insert(all.end(), these.begin(), these.end());
    }
    all.resize((rows_ + 63) / 64);
    return all;
  }

  /// Calls take(row) for each, by rising number.
  template <typename Take>
  void for_each(Take take) const {
    for (std::size_t c = 0; c < chunks_.size(); ++c) {
      for (std::size_t i = 0; chunks_[c] != nullptr && i < chunks_[c]->size(); ++i) {
        const std::size_t first = c * kChunk + 64 * i;
        for (std::uint64_t left = (*chunks_[c])[i]; left != 0; left &= left - 1) {
          take(
              static_cast<std::uint32_t>(first + static_cast<std::size_t>(std::countr_zero(left))));
        }
      }
    }
  }

 private:
  static constexpr std::size_t kChunk = 65536;
  using Words = std::array<std::uint64_t, kChunk / 64>;

  std::size_t rows_;
  std::size_t count_ = 0;
  std::vector<std::shared_ptr<Words>> chunks_;  // null: no row
};

}  // namespace obliq
