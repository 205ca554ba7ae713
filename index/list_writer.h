// Lays coded vectors down as lists: entries in blocks, and in their rows the numbers whose units
// are known only once a list is complete.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "index/coder.h"
#include "index/segment.h"

namespace obliq {

/// Coded entries before they are laid. Entry e < n is that of row e in its home; where vectors are
/// spilled, entry n + i is the second one of row i, if it has one.
struct CodedEntries {
  std::vector<std::uint32_t> lists;  ///< kNoList (spill.h): no entry
  std::vector<CodedNumbers> numbers;
  std::vector<std::uint8_t> signs;  ///< [entries][plane_bytes(dim)]
};

struct WrittenLists {
  std::vector<ListRecord> lists;
  std::vector<std::uint8_t> blocks;
};

/// Writes all lists, and factors, brackets and homes into `rows`, which hold their codes. Uses the
/// segment's info, row_shape and what its lists tell of centroids. Throws std::invalid_argument
/// when there are more entries than a home can number.
WrittenLists write_lists(const Segment& segment, const CodedEntries& entries, std::uint8_t* rows);

}  // namespace obliq
