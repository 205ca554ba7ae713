// Sets of rows, a bit each in words of 64, zeros behind the last: what tests of columns fill.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace obliq {

/// The bits of word w whose rows lie in [begin, end).
inline std::uint64_t rows_mask(std::size_t w, std::size_t begin, std::size_t end) {
  const std::size_t first = 64 * w;
  if (end <= first || begin >= first + 64) return 0;
  std::uint64_t mask = ~std::uint64_t{0};
  if (begin > first) mask &= mask << (begin - first);
  if (end < first + 64) mask &= ~std::uint64_t{0} >> (first + 64 - end);
  return mask;
}

/// Adds the rows [begin, end).
inline void add_rows(std::span<std::uint64_t> words, std::size_t begin, std::size_t end) {
  for (std::size_t w = begin / 64; 64 * w < end; ++w) words[w] |= rows_mask(w, begin, end);
}

/// 64 flags, each 0 or 1, as bits: the product moves flag i of 8 to bit 56 + i, and no two of its
/// terms meet.
inline std::uint64_t pack_flags(const std::uint8_t* flags) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, flags + 8 * i, 8);
    word |= (eight * 0x0102040810204080ULL) >> 56 << (8 * i);
  }
  return word;
}

/// Of the rows of word w those whose value passes. `values`: those of all `rows`, at any address.
/// Without a branch by row: compilers make vectors of most tests.
template <typename Value, typename Test>
std::uint64_t passing_word(const void* values, std::size_t rows, std::size_t w, Test test) {
  alignas(64) std::uint8_t flags[64];
  const std::uint8_t* from = static_cast<const std::uint8_t*>(values) + 64 * w * sizeof(Value);
  const auto flag = [from, test](std::size_t i) {
    Value value;
    std::memcpy(&value, from + i * sizeof(Value), sizeof(Value));
    return static_cast<std::uint8_t>(test(value));
  };
  if (rows >= 64 * w + 64) {
    for (std::size_t i = 0; i < 64; ++i) flags[i] = flag(i);
  } else {
    std::memset(flags, 0, sizeof(flags));
    for (std::size_t i = 0; i < rows - 64 * w; ++i) flags[i] = flag(i);
  }
  return pack_flags(flags);
}

/// Adds the rows of [begin, end) whose value passes; end <= rows.
template <typename Value, typename Test>
void add_passing(const void* values, std::size_t rows, std::size_t begin, std::size_t end,
                 std::span<std::uint64_t> words, Test test) {
  for (std::size_t w = begin / 64; 64 * w < end; ++w) {
    words[w] |= passing_word<Value>(values, rows, w, test) & rows_mask(w, begin, end);
  }
}

}  // namespace obliq
