// Each value is held to what ColumnValues holds given ones to, and each array to the one form that
// the values have.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "core/utf8.h"
#include "index/columns/check_columns.h"
#include "index/columns/column_ranges.h"
#include "index/columns/column_sections.h"

namespace obliq {
namespace {

template <typename T>
bool same_bits(std::span<const T> a, const std::vector<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

class ColumnVerifier {
 public:
  ColumnVerifier(const StoredColumn& column, std::size_t number, std::size_t rows,
                 std::span<const std::uint32_t> list_ends, const ColumnSource& source)
      : column_(column), number_(number), rows_(rows), list_ends_(list_ends), source_(source) {}

  void verify() const;

 private:
  [[noreturn]] void refuse(std::string_view part, const std::string& reason) const {
    throw source_.fault(column_section(number_, part), reason);
  }
  [[noreturn]] void refuse_row(std::string_view part, std::uint32_t row,
                               std::string_view reason) const {
    refuse(part, fmt::format("row {} {}", row, reason));
  }
  void verify_valid() const;
  void verify_tail(std::span<const std::uint64_t> words, std::string_view part) const;
  template <typename T>
  void verify_numbers(std::span<const T> values, std::span<const T> ranges) const;
  void verify_bits() const;
  void verify_ends() const;
  void verify_dictionary() const;
  void verify_codes() const;
  void verify_sets() const;
  void verify_used(const std::vector<bool>& used) const;
  void verify_bytes() const;
  std::uint32_t known_code(std::size_t i, std::uint32_t row) const;

  const StoredColumn& column_;
  const std::size_t number_;
  const std::size_t rows_;
  const std::span<const std::uint32_t> list_ends_;
  const ColumnSource& source_;
};

void ColumnVerifier::verify_tail(std::span<const std::uint64_t> words,
                                 std::string_view part) const {
  if (rows_ % 64 != 0 && words.back() >> rows_ % 64 != 0) {
    refuse(part, "bits behind the last row are set");
  }
}

void ColumnVerifier::verify_valid() const {
  if (column_.valid.empty()) return;
  verify_tail(column_.valid, "valid");
  for (std::uint32_t row = 0; row < rows_; ++row) {
    if (column_.is_null(row)) return;
  }
  refuse("valid", "no row is NULL");
}

template <typename T>
void ColumnVerifier::verify_numbers(std::span<const T> values, std::span<const T> ranges) const {
  RangeCollector<T> found(list_ends_);
  for (std::uint32_t row = 0; row < rows_; ++row) {
    const T zero = 0;
    const bool is_null = column_.is_null(row);
    if (is_null && std::memcmp(&values[row], &zero, sizeof zero) != 0) {
      refuse_row("values", row, "is NULL and has a value");
    }
    if (values[row] != values[row]) refuse_row("values", row, "is NaN");
    found.put(values[row], !is_null);
  }
  if (!same_bits(ranges, found.take())) refuse("ranges", "they are not those of the values");
}

void ColumnVerifier::verify_bits() const {
  verify_tail(column_.bits, "values");
  for (std::size_t i = 0; i < column_.valid.size(); ++i) {
    if ((column_.bits[i] & ~column_.valid[i]) == 0) continue;
    refuse("values", fmt::format("one of the rows from {} on is NULL and has a value", 64 * i));
  }
}

void ColumnVerifier::verify_ends() const {
  const auto ends = column_.text_ends;
  const std::size_t most =
      column_.spec.type == ColumnType::bytes ? kMaxBytesValue : kMaxKeywordBytes;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    const std::uint64_t begin = i == 0 ? 0 : ends[i - 1];
    if (ends[i] < begin || ends[i] > column_.text.size()) {
      refuse("ends", fmt::format("text {} ends out of place", i));
    }
    if (ends[i] - begin > most) refuse("ends", fmt::format("text {} is too long", i));
  }
}

void ColumnVerifier::verify_dictionary() const {
  verify_ends();
  for (std::size_t i = 0; i < column_.texts(); ++i) {
    if (!is_utf8(column_.text_at(i))) refuse("text", fmt::format("text {} is not UTF-8", i));
    if (i > 0 && column_.text_at(i - 1) >= column_.text_at(i)) {
      refuse("text", fmt::format("text {} is out of order", i));
    }
  }
}

std::uint32_t ColumnVerifier::known_code(std::size_t i, std::uint32_t row) const {
  const std::uint32_t code = column_.code_at(i);
  if (code < column_.texts()) return code;
  refuse_row("codes", row, fmt::format("names text {} of {}", code, column_.texts()));
}

void ColumnVerifier::verify_used(const std::vector<bool>& used) const {
  const auto unused = std::find(used.begin(), used.end(), false);
  if (unused == used.end()) return;
  refuse("codes", fmt::format("none names text {}", unused - used.begin()));
}

void ColumnVerifier::verify_codes() const {
  std::vector<bool> used(column_.texts());
  for (std::uint32_t row = 0; row < rows_; ++row) {
    if (!column_.is_null(row)) {
      used[known_code(row, row)] = true;
    } else if (column_.code_at(row) != 0) {
      refuse_row("codes", row, "is NULL and has a text");
    }
  }
  verify_used(used);
}

void ColumnVerifier::verify_sets() const {
  std::vector<bool> used(column_.texts());
  std::uint32_t begin = 0;
  for (std::uint32_t row = 0; row < rows_; ++row) {
    const std::uint32_t end = column_.row_ends[row];
    if (end < begin || end > column_.code_count()) refuse_row("rows", row, "ends out of place");
    if (end - begin > kMaxKeywords) refuse_row("rows", row, "has too many texts");
    if (column_.is_null(row) && end > begin) refuse_row("rows", row, "is NULL and has texts");
    for (std::uint32_t i = begin; i < end; ++i) {
      if (i > begin && column_.code_at(i - 1) >= column_.code_at(i)) {
        refuse_row("codes", row, "has texts out of order");
      }
      used[known_code(i, row)] = true;
    }
    begin = end;
  }
  verify_used(used);
}

void ColumnVerifier::verify_bytes() const {
  verify_ends();
  for (std::uint32_t row = 0; row < rows_; ++row) {
    if (!column_.is_null(row) || column_.text_at(row).empty()) continue;
    refuse_row("ends", row, "is NULL and has bytes");
  }
}

void ColumnVerifier::verify() const {
  verify_valid();
  switch (column_.spec.type) {
    case ColumnType::int64:
    case ColumnType::timestamp:
      verify_numbers(column_.integers, column_.integer_ranges);
      return;
    case ColumnType::float64:
      verify_numbers(column_.doubles, column_.double_ranges);
      return;
    case ColumnType::boolean:
      verify_bits();
      return;
    case ColumnType::keyword:
      verify_dictionary();
      verify_codes();
      return;
    case ColumnType::keywords:
      verify_dictionary();
      verify_sets();
      return;
    case ColumnType::bytes:
      verify_bytes();
      return;
  }
}

}  // namespace

void verify_columns(const ColumnTable& table, std::span<const std::uint32_t> list_ends,
                    const ColumnSource& source) {
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    ColumnVerifier(table.columns[i], i, table.rows, list_ends, source).verify();
  }
}

}  // namespace obliq
