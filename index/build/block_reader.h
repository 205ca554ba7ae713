// Entries of a segment, one after the other.
#pragma once

#include <cstdint>

#include "index/segment/entry_format.h"
#include "index/segment/segment.h"

namespace obliq {

/// Keeps the block that was read last. The segment outlives this.
class BlockReader {
 public:
  explicit BlockReader(const Segment& segment) : segment_(segment), entries_(segment.dim()) {}

  const std::uint8_t* signs(std::uint64_t entry) {
    look_at(entry / kBlockEntries);
    return entries_.planes.data() + entry % kBlockEntries * plane_bytes(segment_.dim());
  }
  EntryFactors factors(std::uint64_t entry) {
    look_at(entry / kBlockEntries);
    return entries_.factors[entry % kBlockEntries];
  }

 private:
  void look_at(std::uint64_t block) {
    if (block == block_) return;
    block_ = block;
    read_block(segment_.blocks.data() + block * block_bytes(segment_.dim()), segment_.dim(),
               entries_);
  }

  const Segment& segment_;
  BlockEntries entries_;
  std::uint64_t block_ = ~std::uint64_t{0};
};

}  // namespace obliq
