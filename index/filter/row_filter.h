// Which rows of a set of segments may be answers: a bit per row in the order of the lists, so that
// the 32 entries of a block find theirs side by side, and counts that tell which lists to skip.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "index/segment/segment_set.h"

namespace obliq {

/// The rows of one segment that may be answers. Deleted and foreign rows are none.
struct AllowedRows {
  std::vector<std::uint64_t> words;    ///< [(rows + 63) / 64 + 1], zeros behind
  std::vector<std::uint32_t> in_list;  ///< of each list record, rows that may be answers
  std::uint64_t count = 0;

  bool has(std::uint32_t row) const { return (words[row / 64] >> row % 64 & 1) != 0; }
};

struct RowFilter {
  std::vector<std::shared_ptr<const AllowedRows>> segments;
  std::uint64_t count = 0;  ///< rows of all segments that may be answers
};

/// Takes out deleted and foreign rows, and counts. `words` as AllowedRows::words.
AllowedRows allowed_rows(const Segment& segment, const RowBits* deleted,
                         std::vector<std::uint64_t> words);

}  // namespace obliq
