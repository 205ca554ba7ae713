// A set of 64-bit numbers that is asked row by row: `in` of a list. Where the numbers lie close
// together a bit for each number of their range; otherwise a table of open addressing, at most half
// full, and in front of it bits by hash, which rule nearly all other numbers out without a branch.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace obliq {

class NumberSet {
 public:
  NumberSet() = default;
  /// Numbers that rise. Memory: at most 40 bytes each and 32 kB.
  explicit NumberSet(const std::vector<std::int64_t>& numbers);

  /// Whether each number of the range has its bit.
  bool has_all_bits() const { return slots_.empty(); }
  /// Whether it has the number, where has_all_bits. Without a branch.
  bool has_bit(std::int64_t number) const {
    const std::uint64_t place =
        static_cast<std::uint64_t>(number) - static_cast<std::uint64_t>(least_);
    const std::uint64_t inside = std::min<std::uint64_t>(place, 64 * bits_.size() - 1);
    return ((bits_[inside / 64] >> inside % 64) & std::uint64_t{place == inside}) != 0;
  }
  /// Else false for all numbers that it lacks but a few. Without a branch.
  bool may_have(std::int64_t number) const {
    const std::uint64_t place = mixed(number) >> bit_shift_;
    return (bits_[place / 64] >> place % 64 & 1) != 0;
  }
  bool has(std::int64_t number) const {
    if (has_all_bits()) return has_bit(number);
    std::size_t slot = first_slot(number);
    while (slots_[slot] != number && slots_[slot] != empty_) slot = (slot + 1) & mask_;
    return slots_[slot] == number && number != empty_;
  }

 private:
  static std::uint64_t mixed(std::int64_t number) {
    return static_cast<std::uint64_t>(number) * 0x9E3779B97F4A7C15ULL;
  }
  std::size_t first_slot(std::int64_t number) const {
    return static_cast<std::size_t>(mixed(number) >> slot_shift_);
  }
  void fill_bits(const std::vector<std::int64_t>& numbers);
  void fill_slots(const std::vector<std::int64_t>& numbers);

  std::vector<std::uint64_t> bits_ = {0};  // of least_ and what follows, or by hash
  std::int64_t least_ = 0;
  int bit_shift_ = 0;
  std::vector<std::int64_t> slots_;  // empty: bits_ has a bit for each number
  std::int64_t empty_ = 0;           // no number of the set
  int slot_shift_ = 0;
  std::size_t mask_ = 0;  // slots - 1, a power of two less one
};

}  // namespace obliq
