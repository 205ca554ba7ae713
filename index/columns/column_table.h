// The columns of a segment as they are stored: plain data in the order of its rows, in memory or
// mapped from its file. A segment that was made before a column was added does not have it: all its
// values are NULL.
//
//     valid    a bit per row, 0: NULL; left out where no row is
//     values   int64, timestamp, double: 8 bytes per row, 0 for NULL; bool: a bit per row
//     codes    keyword: per row the number of its text in the dictionary, 0 for NULL; keywords:
//              the numbers of all rows' texts, rising in a row. 1, 2 or 4 bytes each, the least
//              that holds all numbers
//     rows     keywords: uint32 per row, where its codes end
//     ends     uint64 per text, where it ends: keyword(s): of the dictionary, whose texts rise and
//              are all used; bytes: of each row
//     text     these texts
//     ranges   int64, timestamp, double: per list record the least and the most of its values that
//              are not NULL, in the order of the records; least > most where there is none
//
// Unless a file is verified when it is opened, the sizes of these arrays are all that is certain:
// codes may lie beyond the dictionary, bits behind the last row be set, ends fall. What is below
// stays within the arrays all the same.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "obliq/columns.h"

namespace obliq {

struct StoredColumn {
  ColumnSpec spec;
  std::span<const std::uint64_t> valid;  ///< [(rows + 63) / 64], zeros behind; empty: all rows are
  std::span<const std::int64_t> integers;
  std::span<const double> doubles;
  std::span<const std::uint64_t> bits;  ///< of bool, as valid
  std::uint32_t code_bytes = 0;
  std::span<const std::uint8_t> codes;
  std::span<const std::uint32_t> row_ends;
  std::span<const std::uint64_t> text_ends;
  std::span<const char> text;
  std::span<const std::int64_t> integer_ranges;  ///< [records][2]
  std::span<const double> double_ranges;         ///< [records][2]

  bool is_null(std::uint32_t row) const {
    return !valid.empty() && (valid[row / 64] >> row % 64 & 1) == 0;
  }
  std::size_t texts() const { return text_ends.size(); }  ///< of the dictionary
  /// Empty where there is no text of the number.
  std::string_view text_at(std::size_t i) const {
    if (i >= text_ends.size()) return {};
    const std::size_t end = std::min<std::size_t>(text_ends[i], text.size());
    const std::size_t begin = i == 0 ? 0 : std::min<std::size_t>(text_ends[i - 1], end);
    return {text.data() + begin, end - begin};
  }
  std::size_t code_count() const { return code_bytes == 0 ? 0 : codes.size() / code_bytes; }
  /// Requires i < code_count().
  std::uint32_t code_at(std::size_t i) const {
    std::uint32_t code = 0;
    std::memcpy(&code, codes.data() + i * code_bytes, code_bytes);
    return code;
  }
  /// Places of a row's codes, [first, second), of keywords.
  std::uint32_t first_code(std::uint32_t row) const { return row == 0 ? 0 : end_code(row - 1); }
  std::uint32_t end_code(std::uint32_t row) const {
    return static_cast<std::uint32_t>(std::min<std::size_t>(row_ends[row], code_count()));
  }
};

struct ColumnTable {
  std::size_t rows = 0;
  std::vector<StoredColumn> columns;  ///< by name
  std::shared_ptr<const void> owner;  ///< keeps the bytes of the spans

  /// Null where there is none of the name.
  const StoredColumn* find(std::string_view name) const {
    for (const StoredColumn& column : columns) {
      if (column.spec.name == name) return &column;
    }
    return nullptr;
  }
};

/// Whether its texts are in a dictionary.
constexpr bool has_codes(ColumnType type) {
  return type == ColumnType::keyword || type == ColumnType::keywords;
}
/// int64 and timestamp: stored in 8 bytes, with ranges.
constexpr bool has_integers(ColumnType type) {
  return type == ColumnType::int64 || type == ColumnType::timestamp;
}

/// The bytes of a code, of a dictionary of so many texts.
constexpr std::uint32_t code_bytes_of(std::size_t texts) {
  return texts <= 256 ? 1 : texts <= 65536 ? 2 : 4;
}

/// The value of a row, behind those of `out`, whose type is the column's; null column: NULL. Throws
/// std::runtime_error where the file that it is read from is damaged, and the value therefore none
/// of the type.
void add_stored(const StoredColumn* column, std::uint32_t row, ColumnValues& out);

}  // namespace obliq
