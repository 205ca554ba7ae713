// What a scan of sign blocks does in the same way on every ISA: which entries of a block are of the
// list, and which blocks to fetch. Internal linkage, as everything in a kernel file.
#pragma once

#include "core/kernels/kernels.h"

namespace obliq {
namespace {

// The blocks to come: first those of the list, then those at `next`.
class Stream {
 public:
  /// `end`: of the list's entries, counted from the start of list.blocks.
  Stream(const ScanList& list, std::uint64_t end) noexcept
      : last_(list.blocks + (end - 1) / kBlockEntries * list.stride),
        next_(list.next),
        bytes_(list.stride),
        ahead_(end <= kBlockEntries ? bytes_ : 2 * bytes_) {}

  // What to fetch while `block` is at work: a block further on, itself where none is known.
  const std::uint8_t* after(const std::uint8_t* block) const noexcept {
    const std::uint8_t* ahead = block + ahead_;
    if (ahead <= last_) return ahead;
    return next_ == nullptr ? block : next_ + (ahead - last_ - bytes_);
  }

 private:
  const std::uint8_t* last_;
  const std::uint8_t* next_;
  std::size_t bytes_;
  std::size_t ahead_;  // two blocks, or one where the list has no more
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
