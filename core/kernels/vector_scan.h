// What a scan of sign blocks does in the same way on every ISA: which entries of a block are of the
// list, and which blocks to fetch. Internal linkage, as everything in a kernel file.
#pragma once

#include "core/kernels/kernels.h"

namespace obliq {
namespace {

// The blocks to come: first those of the list, then the next ones.
class Stream {
 public:
  /// `end`: of the list's entries, counted from the start of list.blocks.
  Stream(const ScanList& list, std::uint64_t end) noexcept
      : last_(list.blocks + (end - 1) / kBlockEntries * list.stride),
        next_(list.next),
        bytes_(list.stride) {}

  // What to fetch while `block` is at work: two blocks further on, itself where that is not known.
  const std::uint8_t* after(const std::uint8_t* block) const noexcept {
    const std::uint8_t* ahead = block + 2 * bytes_;
    if (ahead <= last_) return ahead;
    const std::uint8_t* next = block == last_ ? next_.second : next_.first;
    return next == nullptr ? block : next;
  }

 private:
  const std::uint8_t* last_;
  NextBlocks next_;
  std::size_t bytes_;
};

// Entries of the block that starts at place `first` which lie in [lane, end).
inline std::uint32_t wanted_entries(std::uint64_t first, std::uint64_t lane,
                                    std::uint64_t end) noexcept {
  std::uint32_t wanted = ~0U;
  if (first < lane) wanted <<= lane - first;
  if (end - first < kBlockEntries) wanted &= (1U << (end - first)) - 1U;
  return wanted;
}

// The factors of a block, or what stands behind them.
inline void fetch(const std::uint8_t* bytes) noexcept {
  __builtin_prefetch(bytes);
  __builtin_prefetch(bytes + 64);
}

}  // namespace
}  // namespace obliq
