// Which rows of a set of segments may be answers: a bit per row in the order of the lists, so that
// the 32 entries of a block find theirs side by side, and counts that tell which lists to skip.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "index/segment/segment_set.h"

namespace obliq {

/// A row that may be an answer, and the number of its list's record.
struct AllowedRow {
  std::uint32_t row = 0;
  std::uint32_t record = 0;
};

/// The rows of one segment that may be answers. Deleted rows are none. Foreign rows have bits, for
/// the spilled entries that name them, but are not counted, since they are another segment's own.
struct AllowedRows {
  std::vector<std::uint64_t> words;    ///< a bit per row, zeros behind, and one word more
  std::vector<std::uint32_t> in_list;  ///< of each list record, rows that may be answers
  std::uint64_t count = 0;
  std::vector<AllowedRow> few;  ///< all of them by their number, where are_few(count, rows)

  bool has(std::uint32_t row) const { return (words[row / 64] >> row % 64 & 1) != 0; }
  /// Whether so few of a segment's rows are allowed that they are also listed: an eighth, or
  /// 4,096.
  static bool are_few(std::uint64_t count, std::uint64_t rows) {
    return count <= 4096 || count <= rows / 8;
  }
};

struct RowFilter {
  std::vector<std::shared_ptr<const AllowedRows>> segments;
  std::uint64_t count = 0;  ///< rows of all segments that may be answers

  /// Whether the rows are listed in all segments.
  bool are_few() const;
};

/// A bit for each row of the segment and one word more, all 0.
std::vector<std::uint64_t> words_for(const Segment& segment);
inline void set_row(std::vector<std::uint64_t>& words, std::uint32_t row) {
  words[row / 64] |= std::uint64_t{1} << row % 64;
}

/// The same with a bit set for every row.
std::vector<std::uint64_t> all_words_for(const Segment& segment);

/// Takes a row out, which is one of them. Cost: where rows are few, in proportion to them.
void exclude_row(const Segment& segment, std::uint32_t row, AllowedRows& allowed);

/// Takes the bits of foreign rows out: each vector then has one in its own segment alone.
void exclude_foreign(const Segment& segment, AllowedRows& allowed);

/// Takes deleted rows out of `words`, as words_for() makes them, and counts those that are left but
/// foreign ones. `deleted`: null: none.
AllowedRows allowed_rows(const Segment& segment, const RowBits* deleted,
                         std::vector<std::uint64_t> words);

}  // namespace obliq
