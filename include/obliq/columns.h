// Columns: attributes of vectors, kept beside them, to filter searches by (obliq/filter.h) and to
// be returned with answers. A column has a name, a type, and of each vector a value or NULL.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "obliq/export.h"

namespace obliq {

enum class ColumnType : std::uint8_t {
  int64 = 0,
  float64 = 1,  ///< finite or infinite, not NaN
  boolean = 2,
  timestamp = 3,  ///< microseconds since 1970-01-01T00:00:00Z
  keyword = 4,    ///< one text, UTF-8 of at most 65,535 bytes
  keywords = 5,   ///< a set of at most 65,535 of them
  bytes = 6,      ///< at most 16 MiB, stored and returned, not to filter by
};

/// "int64", "double", "bool", "timestamp", "keyword", "keywords", "bytes"
OBLIQ_API std::string to_string(ColumnType type);
OBLIQ_API ColumnType parse_column_type(std::string_view name);  ///< throws std::invalid_argument

/// A name is 1 to 255 bytes of UTF-8 without control characters, checked where vectors are given.
struct ColumnSpec {
  std::string name;
  ColumnType type = ColumnType::int64;

  bool operator==(const ColumnSpec&) const = default;
};

using ColumnSchema = std::vector<ColumnSpec>;  ///< at most 1,000, whose names differ

/// The values of one column for a number of vectors, in their order.
class OBLIQ_API ColumnValues {
 public:
  ColumnValues() = default;
  explicit ColumnValues(ColumnSpec spec) : spec_(std::move(spec)) {}

  const ColumnSpec& spec() const { return spec_; }
  const std::string& name() const { return spec_.name; }
  ColumnType type() const { return spec_.type; }
  std::size_t size() const { return size_; }

  /// One more value. The type must be that of the column: an integer for int64, boolean (0 or 1)
  /// and timestamp, a text for keyword and bytes, texts for keywords, which are sorted and taken
  /// once each. Throws std::invalid_argument naming the column and the row otherwise, and on NaN, a
  /// text that is too long or no UTF-8.
  void add_null();
  void add(std::int64_t value);
  void add(int value) { add(std::int64_t{value}); }
  void add(double value);
  void add(std::string_view text);
  void add(std::span<const std::string_view> texts);

  bool is_null(std::size_t row) const { return !valid_.empty() && valid_[row] == 0; }
  bool has_nulls() const { return !valid_.empty(); }
  /// Of a null: 0.
  std::int64_t integer(std::size_t row) const { return integers_[row]; }
  double number(std::size_t row) const { return doubles_[row]; }
  /// Of keyword and bytes; of a null: empty.
  std::string_view text(std::size_t row) const { return text_at(row); }
  /// Of keywords, by rising bytes; of a null: none.
  std::vector<std::string_view> texts(std::size_t row) const;

  /// Rows [first, first + count), or those named, in that order. Throws std::invalid_argument on a
  /// row that there is none of.
  ColumnValues slice(std::size_t first, std::size_t count) const;
  ColumnValues take(std::span<const std::uint32_t> rows) const;
  /// Adds the row of another column of the same type, whatever its name. Throws as slice does.
  void add_from(const ColumnValues& other, std::size_t row);

  /// Rough size in memory, in bytes.
  std::size_t bytes() const;

 private:
  std::string_view text_at(std::size_t place) const {
    const std::size_t begin = place == 0 ? 0 : text_ends_[place - 1];
    return std::string_view(text_).substr(begin, text_ends_[place] - begin);
  }
  void add_valid();
  void add_text(std::string_view text);
  void check_row(std::size_t end) const;
  void check_text(std::string_view text) const;
  void require(bool fits, std::string_view given) const;
  [[noreturn]] void refuse(std::string_view reason) const;

  ColumnSpec spec_;
  std::size_t size_ = 0;
  std::vector<std::uint8_t> valid_;  // of each row 1 or 0; empty: no row is null
  std::vector<std::int64_t> integers_;
  std::vector<double> doubles_;
  std::string text_;                      // of all texts
  std::vector<std::uint64_t> text_ends_;  // of each
  std::vector<std::uint64_t> row_ends_;   // keywords: of each row, in text_ends_
};

/// Columns of the same vectors.
using Columns = std::vector<ColumnValues>;

}  // namespace obliq
