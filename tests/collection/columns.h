// Collections with columns, and values that follow from a seed.
#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "obliq/collection.h"
#include "tests/collection/vectors.h"
#include "tests/index/columns/column_cases.h"

namespace obliq::testing {

inline const ColumnSchema& test_schema() {
  static const ColumnSchema kSchema = {
      {"year", ColumnType::int64},   {"lang", ColumnType::keyword}, {"price", ColumnType::float64},
      {"open", ColumnType::boolean}, {"at", ColumnType::timestamp}, {"tags", ColumnType::keywords},
      {"note", ColumnType::bytes}};
  return kSchema;
}

/// A value of each of these columns for n vectors, some of them NULL.
inline Columns values_for(const ColumnSchema& schema, std::size_t n, std::uint64_t seed) {
  Random random(seed);
  Columns columns;
  for (const ColumnSpec& spec : schema) columns.push_back(random_column(random, spec, n, true));
  return columns;
}

/// What tells values of a column from others, in its own way for each.
inline std::vector<std::int64_t> numbers_of(const ColumnValues& column) {
  std::vector<std::int64_t> numbers;
  const auto add_text = [&](std::string_view text) {
    numbers.push_back(static_cast<std::int64_t>(text.size()));
    for (const char c : text) numbers.push_back(static_cast<unsigned char>(c));
  };
  for (std::size_t i = 0; i < column.size(); ++i) {
    numbers.push_back(column.is_null(i) ? 1 : 0);
    if (column.type() == ColumnType::float64) {
      numbers.push_back(std::bit_cast<std::int64_t>(column.number(i)));
    } else if (column.type() == ColumnType::keywords) {
      for (const std::string_view text : column.texts(i)) add_text(text);
    } else if (column.type() == ColumnType::keyword || column.type() == ColumnType::bytes) {
      add_text(column.text(i));
    } else {
      numbers.push_back(column.integer(i));
    }
  }
  return numbers;
}

inline ColumnValues years(std::initializer_list<std::int64_t> values) {
  ColumnValues column({"year", ColumnType::int64});
  for (const std::int64_t value : values) column.add(value);
  return column;
}

/// That row i of `found` is row rows[i] of `wanted`, for all columns of it.
inline void expect_values(const Columns& found, const Columns& wanted,
                          std::span<const std::uint32_t> rows) {
  ASSERT_EQ(found.size(), wanted.size());
  for (std::size_t c = 0; c < found.size(); ++c) {
    ASSERT_EQ(found[c].spec(), wanted[c].spec());
    ASSERT_EQ(found[c].size(), rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      ASSERT_TRUE(same_value(found[c], i, wanted[c], rows[i]));
    }
  }
}

/// That ids from `first` on have these values.
inline void expect_columns(const Collection& collection, std::int64_t first,
                           const Columns& wanted) {
  const std::size_t n = wanted.front().size();
  std::vector<std::string> names;
  for (const ColumnValues& column : wanted) names.push_back(column.name());
  std::vector<std::uint32_t> rows(n);
  for (std::uint32_t i = 0; i < n; ++i) rows[i] = i;
  expect_values(collection.get_columns(ids_from(first, n), names), wanted, rows);
}

}  // namespace obliq::testing
