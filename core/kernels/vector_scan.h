// What a scan of sign blocks does in the same way on every ISA: which entries of a block count, and
// which blocks to fetch. Internal linkage, as everything in a kernel file.
#pragma once

#include "core/kernels/kernels.h"

namespace obliq {
namespace {

// Entries of the block that starts at place `first` which lie in [lane, end).
inline std::uint32_t present_entries(std::uint64_t first, std::uint64_t lane,
                                     std::uint64_t end) noexcept {
  std::uint32_t present = ~0U;
  if (first < lane) present <<= lane - first;
  if (end - first < kBlockEntries) present &= (1U << (end - first)) - 1U;
  return present;
}

// Of the 32 entries from `entry` on, bit by bit, those that a mask lets count (kernels.h). By value
// and out of line, so that a scan without a mask keeps its numbers in registers.
[[gnu::noinline]] inline std::uint32_t unmasked_entries(const std::uint64_t* mask,
                                                        std::uint64_t begin, std::uint32_t masked,
                                                        std::uint64_t entry) noexcept {
  if (entry >= masked) return ~0U;
  const std::uint64_t bit = begin + entry;
  const std::uint64_t* words = mask + bit / 64;
  std::uint64_t bits = words[0] >> bit % 64;
  if (bit % 64 > 32) bits |= words[1] << (64 - bit % 64);
  if (masked - entry < kBlockEntries) bits |= ~std::uint64_t{0} << (masked - entry);
  return static_cast<std::uint32_t>(bits);
}

// Entries of the block that starts at place `first` which count.
inline std::uint32_t wanted_entries(const ScanList& list, std::uint64_t first,
                                    std::uint64_t end) noexcept {
  const std::uint32_t present = present_entries(first, list.lane, end);
  if (__builtin_expect(list.mask == nullptr, 1)) return present;
  const std::uint64_t before = first < list.lane ? list.lane - first : 0;
  const std::uint64_t entry = first + before - list.lane;
  return present & unmasked_entries(list.mask, list.mask_begin, list.masked, entry) << before;
}

// The blocks to come: first those of the list, then the next ones.
class Stream {
 public:
  /// `end`: of the list's entries, counted from the start of list.blocks.
  Stream(const ScanList& list, std::uint64_t end) noexcept
      : list_(list), end_(end), last_(list.blocks + (end - 1) / kBlockEntries * list.stride) {}

  // What to fetch while the block that starts at place `first` is at work: two blocks further on,
  // itself where that is not known or has no entry that counts.
  const std::uint8_t* after(const std::uint8_t* block, std::uint64_t first) const noexcept {
    const std::uint8_t* ahead = block + 2 * list_.stride;
    if (ahead <= last_) {
      const bool is_read =
          list_.mask == nullptr || wanted_entries(list_, first + 2 * kBlockEntries, end_) != 0;
      return is_read ? ahead : block;
    }
    const std::uint8_t* next = block == last_ ? list_.next.second : list_.next.first;
    return next == nullptr ? block : next;
  }

 private:
  const ScanList list_;
  std::uint64_t end_;
  const std::uint8_t* last_;
};

// A whole block, while one that is not read is passed.
inline void fetch_block(const std::uint8_t* block, std::size_t bytes) noexcept {
  for (std::size_t at = 0; at < bytes; at += 64) __builtin_prefetch(block + at);
}

// The factors of a block, or what stands behind them.
inline void fetch(const std::uint8_t* bytes) noexcept {
  __builtin_prefetch(bytes);
  __builtin_prefetch(bytes + 64);
}

}  // namespace
}  // namespace obliq
