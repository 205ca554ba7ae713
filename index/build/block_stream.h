// Writes entries into the blocks of a segment, in the order of the stream.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "index/segment/entry_format.h"

namespace obliq {

/// Takes bytes in order.
using ByteSink = std::function<void(std::span<const std::uint8_t>)>;

class BlockStream {
 public:
  BlockStream(std::size_t dim, ByteSink sink)
      : dim_(dim), sink_(std::move(sink)), open_(dim), block_(block_bytes(dim)) {}

  /// Entry numbers rise. `signs`: plane_bytes(dim) bytes.
  void put(std::uint64_t entry, const std::uint8_t* signs, EntryFactors factors) {
    write_until(entry / kBlockEntries);
    const std::size_t lane = entry % kBlockEntries;
    const std::size_t plane = plane_bytes(dim_);
    std::copy_n(signs, plane, open_.planes.data() + lane * plane);
    open_.factors[lane] = factors;
    empty_ = false;
  }
  /// Writes what is left of a stream of `entries`, a multiple of 32.
  void finish(std::uint64_t entries) { write_until(entries / kBlockEntries); }

 private:
  /// Writes the blocks before this one.
  void write_until(std::uint64_t block) {
    for (; written_ < block; ++written_) {
      write_block(open_, dim_, block_.data());
      sink_(block_);
      if (!empty_) open_ = BlockEntries(dim_);
      empty_ = true;
    }
  }

  const std::size_t dim_;
  const ByteSink sink_;
  BlockEntries open_;
  bool empty_ = true;
  std::vector<std::uint8_t> block_;
  std::uint64_t written_ = 0;  // blocks
};

}  // namespace obliq
