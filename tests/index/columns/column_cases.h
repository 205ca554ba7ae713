// Columns of every type, with what is rare in data: nulls, empty texts and sets, extreme numbers.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "core/random.h"
#include "index/segment/segment.h"
#include "obliq/columns.h"

namespace obliq::testing {

inline std::string random_text(Random& random, std::size_t most) {
  static const std::vector<std::string> kPieces = {"a", "b", "\xC3\xA9", "\xE2\x82\xAC",
                                                   "\xF0\x9F\x8D\x80"};
  std::string text;
  for (std::size_t left = random.below(most + 1); left > 0; --left) {
    text += kPieces[random.below(kPieces.size())];
  }
  return text;
}

inline std::int64_t random_integer(Random& random) {
  using Limits = std::numeric_limits<std::int64_t>;
  const auto small = static_cast<std::int64_t>(random.below(2000)) - 1000;
  return random.below(50) == 0 ? Limits::min() : random.below(50) == 0 ? Limits::max() : small;
}

inline double random_double(Random& random) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (random.below(50) == 0) return random.below(2) == 0 ? kInfinity : -kInfinity;
  return random.below(50) == 0 ? -0.0 : 1e6 * random.gaussian();
}

inline void add_random(Random& random, ColumnValues& column) {
  switch (column.type()) {
    case ColumnType::int64:
    case ColumnType::timestamp:
      column.add(random_integer(random));
      return;
    case ColumnType::float64:
      column.add(random_double(random));
      return;
    case ColumnType::boolean:
      column.add(static_cast<std::int64_t>(random.below(2)));
      return;
    case ColumnType::keyword:
      column.add(random_text(random, 4));
      return;
    case ColumnType::keywords: {
      std::vector<std::string> texts(random.below(5));
      for (std::string& text : texts) text = random_text(random, 2);
      const std::vector<std::string_view> views(texts.begin(), texts.end());
      column.add(views);
      return;
    }
    case ColumnType::bytes: {
      std::string bytes(random.below(40), '\0');
      for (char& byte : bytes) byte = static_cast<char>(random.below(256));
      column.add(bytes);
      return;
    }
  }
}

/// n values, one in four of them NULL where `has_nulls`.
inline ColumnValues random_column(Random& random, const ColumnSpec& spec, std::size_t n,
                                  bool has_nulls) {
  ColumnValues column(spec);
  for (std::size_t i = 0; i < n; ++i) {
    if (has_nulls && random.below(4) == 0) {
      column.add_null();
    } else {
      add_random(random, column);
    }
  }
  return column;
}

/// A column of each type, with nulls.
inline Columns few_columns(std::size_t n, std::uint64_t seed) {
  Random random(seed);
  Columns columns;
  for (int i = 0; i < 7; ++i) {
    const auto type = static_cast<ColumnType>(i);
    columns.push_back(random_column(random, {to_string(type), type}, n, true));
  }
  return columns;
}

/// Two columns of each type, with nulls and without, and one of NULL alone, not in the order of
/// their names.
inline Columns all_columns(std::size_t n, std::uint64_t seed) {
  Random random(seed);
  Columns columns;
  for (const ColumnType type :
       {ColumnType::keywords, ColumnType::int64, ColumnType::float64, ColumnType::boolean,
        ColumnType::timestamp, ColumnType::keyword, ColumnType::bytes}) {
    columns.push_back(random_column(random, {"z " + to_string(type), type}, n, false));
    columns.push_back(random_column(random, {"a " + to_string(type), type}, n, true));
  }
  ColumnValues none({"none", ColumnType::keyword});
  for (std::size_t i = 0; i < n; ++i) none.add_null();
  columns.push_back(none);
  return columns;
}

inline ::testing::AssertionResult same_value(const ColumnValues& a, std::size_t i,
                                             const ColumnValues& b, std::size_t j) {
  const auto fault = [&] {
    return ::testing::AssertionFailure()
           << "column '" << a.name() << "', row " << i << " is not row " << j << " of the other";
  };
  if (a.type() != b.type() || a.is_null(i) != b.is_null(j)) return fault();
  switch (a.type()) {
    case ColumnType::int64:
    case ColumnType::timestamp:
    case ColumnType::boolean:
      return a.integer(i) == b.integer(j) ? ::testing::AssertionSuccess() : fault();
    case ColumnType::float64:
      return a.number(i) == b.number(j) ? ::testing::AssertionSuccess() : fault();
    case ColumnType::keywords:
      return a.texts(i) == b.texts(j) ? ::testing::AssertionSuccess() : fault();
    default:
      return a.text(i) == b.text(j) ? ::testing::AssertionSuccess() : fault();
  }
}

/// All values of a column of a segment, in the order of its rows.
inline ColumnValues stored_values(const Segment& segment, const ColumnSpec& spec) {
  ColumnValues values(spec);
  const StoredColumn* column =
      segment.columns == nullptr ? nullptr : segment.columns->find(spec.name);
  for (std::uint32_t row = 0; row < segment.info.rows; ++row) add_stored(column, row, values);
  return values;
}

/// That each row of a segment, whose ids are positions, has the values of its vector.
inline void expect_columns(const Segment& segment, const Columns& columns) {
  ASSERT_NE(segment.columns, nullptr);
  EXPECT_EQ(segment.columns->rows, segment.info.rows);
  EXPECT_EQ(segment.columns->columns.size(), columns.size());
  for (const ColumnValues& column : columns) {
    const ColumnValues stored = stored_values(segment, column.spec());
    for (std::uint32_t row = 0; row < segment.info.rows; ++row) {
      ASSERT_TRUE(same_value(stored, row, column, segment.positions[row]));
    }
  }
}

}  // namespace obliq::testing
