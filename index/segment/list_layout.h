// Where each list lies in the stream of blocks.
//
// Entries of all lists share one stream; a block of 32 may hold the end of one list and the start
// of the next. A list of n entries touches ceil(n/32) blocks when it starts or ends at a block's
// border and often one more when it does neither. So lists are laid down in pairs: one starts at a
// border, its partner, whose size makes the pair fill whole blocks, ends at one. Where no exact
// partner is left a few entries stay empty. Partners are of one run of 256 lists, so that where a
// list lies within its run does not depend on lists of other runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace obliq {

/// Lists of a run, whose numbers have the same quotient by this, may share blocks.
inline constexpr std::size_t kLayoutRun = 256;

struct ListLayout {
  std::vector<std::uint64_t> first;  ///< first entry of each list
  std::uint64_t entries = 0;         ///< length of the stream, a multiple of 32
};

/// Places lists of the given sizes so that each touches exactly ceil(size/32) blocks.
ListLayout place_lists(std::span<const std::uint32_t> sizes);

}  // namespace obliq
