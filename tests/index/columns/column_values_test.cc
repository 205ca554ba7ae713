// Values of columns as callers give them: what is taken, and what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <string>

#include "core/utf8.h"
#include "obliq/columns.h"
#include "tests/index/columns/column_cases.h"

namespace obliq {
namespace {

using testing::all_columns;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::same_value;
using ::testing::ThrowsMessage;

template <typename Call>
void refused(Call call, const std::string& words) {
  EXPECT_THAT(call, ThrowsMessage<std::invalid_argument>(HasSubstr(words)));
}

TEST(ColumnTypes, HaveNamesThatGoBothWays) {
  for (int i = 0; i < 7; ++i) {
    const auto type = static_cast<ColumnType>(i);
    EXPECT_EQ(parse_column_type(to_string(type)), type);
  }
  EXPECT_EQ(to_string(ColumnType::float64), "double");
  refused([] { parse_column_type("text"); }, "unknown column type 'text'; valid: int64, double");
  refused([] { to_string(static_cast<ColumnType>(7)); }, "not a column type: 7");
}

TEST(ColumnValues, AreReadAsTheyWereGiven) {
  ColumnValues column({"year", ColumnType::int64});
  column.add(1999);
  EXPECT_FALSE(column.has_nulls());
  column.add_null();
  column.add(std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(column.size(), 3U);
  EXPECT_EQ(column.integer(0), 1999);
  EXPECT_FALSE(column.is_null(0));
  EXPECT_TRUE(column.is_null(1));
  EXPECT_EQ(column.integer(1), 0);
  EXPECT_EQ(column.integer(2), std::numeric_limits<std::int64_t>::min());

  ColumnValues text({"lang", ColumnType::keyword});
  text.add("en");
  text.add("");
  text.add_null();
  text.add("de");
  EXPECT_EQ(text.text(0), "en");
  EXPECT_EQ(text.text(1), "");
  EXPECT_FALSE(text.is_null(1));
  EXPECT_EQ(text.text(2), "");
  EXPECT_TRUE(text.is_null(2));
  EXPECT_EQ(text.text(3), "de");
}

TEST(ColumnValues, OfASetAreSortedAndTakenOnce) {
  ColumnValues column({"tags", ColumnType::keywords});
  const std::array<std::string_view, 5> tags = {"b", "a", "\xC3\xA9", "", "b"};
  column.add(tags);
  column.add(std::span<const std::string_view>());
  column.add_null();
  EXPECT_THAT(column.texts(0), ElementsAre("", "a", "b", "\xC3\xA9"));
  EXPECT_THAT(column.texts(1), IsEmpty());
  EXPECT_FALSE(column.is_null(1));
  EXPECT_THAT(column.texts(2), IsEmpty());
  EXPECT_TRUE(column.is_null(2));
}

TEST(ColumnValues, OfAnotherTypeAreRefusedWithColumnAndRow) {
  const std::array<std::string_view, 1> set = {"a"};
  for (int i = 0; i < 7; ++i) {
    const auto type = static_cast<ColumnType>(i);
    ColumnValues column({"c", type});
    column.add_null();
    const std::string words = "for a column of type " + to_string(type);
    const bool is_integer =
        type == ColumnType::int64 || type == ColumnType::boolean || type == ColumnType::timestamp;
    const bool is_text = type == ColumnType::keyword || type == ColumnType::bytes;
    if (!is_integer) refused([&] { column.add(1); }, "column 'c', row 1: an integer " + words);
    if (!is_text) refused([&] { column.add("a"); }, "column 'c', row 1: a text " + words);
    if (type != ColumnType::float64) refused([&] { column.add(1.5); }, words);
    if (type != ColumnType::keywords) refused([&] { column.add(set); }, words);
    EXPECT_EQ(column.size(), 1U);
  }
}

TEST(ColumnValues, ThatNoOrderOrTextHoldsAreRefused) {
  ColumnValues number({"price", ColumnType::float64});
  number.add(std::numeric_limits<double>::infinity());
  refused([&] { number.add(std::nan("")); }, "column 'price', row 1: NaN");
  ColumnValues truth({"ok", ColumnType::boolean});
  refused([&] { truth.add(2); }, "column 'ok', row 0: 2 is no truth value");
  ColumnValues text({"lang", ColumnType::keyword});
  refused([&] { text.add("\xFF"); }, "column 'lang', row 0: a text that is not UTF-8");
  ColumnValues tags({"tags", ColumnType::keywords});
  const std::array<std::string_view, 2> bad = {"a", "\xC3"};
  refused([&] { tags.add(bad); }, "column 'tags', row 0: a text that is not UTF-8");
  EXPECT_EQ(tags.size(), 0U);
  ColumnValues bytes({"raw", ColumnType::bytes});
  bytes.add("\xFF");
  EXPECT_EQ(bytes.text(0), "\xFF");
}

TEST(ColumnValues, AreRefusedBeyondTheLongest) {
  const std::string longest(65535, 'x');
  ColumnValues text({"lang", ColumnType::keyword});
  text.add(longest);
  EXPECT_EQ(text.text(0), longest);
  refused([&] { text.add(longest + "x"); }, "a text of 65536 bytes, the most are 65535");
  ColumnValues bytes({"raw", ColumnType::bytes});
  const std::string many(std::size_t{16} << 20, '\xFF');
  bytes.add(many);
  refused([&] { bytes.add(many + "x"); }, "a text of 16777217 bytes, the most are 16777216");
  std::vector<std::string> texts(65536);
  for (std::size_t i = 0; i < texts.size(); ++i) texts[i] = std::to_string(i);
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  ColumnValues tags({"tags", ColumnType::keywords});
  tags.add(std::span(views).first(65535));
  refused([&] { tags.add(views); }, "a set of 65536 texts, the most are 65535");
}

TEST(ColumnValues, AreCutAndPickedWithTheirNulls) {
  for (const ColumnValues& column : all_columns(200, 91)) {
    const ColumnValues part = column.slice(50, 100);
    ASSERT_EQ(part.size(), 100U);
    for (std::size_t i = 0; i < 100; ++i) EXPECT_TRUE(same_value(part, i, column, 50 + i));
    const std::array<std::uint32_t, 4> rows = {199, 0, 7, 7};
    const ColumnValues picked = column.take(rows);
    ASSERT_EQ(picked.size(), 4U);
    for (std::size_t i = 0; i < 4; ++i) EXPECT_TRUE(same_value(picked, i, column, rows[i]));
    EXPECT_EQ(column.slice(200, 0).size(), 0U);
    refused([&] { column.slice(150, 51); }, "has 200 rows, row 200 is asked for");
    refused([&] { column.slice(~std::size_t{0}, 2); }, "has 200 rows");
    const std::array<std::uint32_t, 1> beyond = {200};
    refused([&] { column.take(beyond); }, "row 200 is asked for");
  }
}

TEST(ColumnValues, OfAnotherColumnMustBeOfItsType) {
  ColumnValues numbers({"a", ColumnType::int64});
  numbers.add(1);
  ColumnValues times({"b", ColumnType::timestamp});
  refused([&] { times.add_from(numbers, 0); }, "a value of type int64 for a column of type");
}

// Against a decoder that spells out RFC 3629, over random bytes near its borders.
bool is_utf8_by_points(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = [&](std::size_t k) {
      return i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0U;
    };
    const unsigned first = byte(0);
    const std::size_t length = first < 0x80       ? 1
                               : first >> 5 == 6  ? 2
                               : first >> 4 == 14 ? 3
                               : first >> 3 == 30 ? 4
                                                  : 0;
    if (length == 0) return false;
    unsigned point = length == 1 ? first : first & (0x7FU >> length);
    for (std::size_t k = 1; k < length; ++k) {
      if (byte(k) >> 6 != 2) return false;
      point = point << 6 | (byte(k) & 0x3F);
    }
    constexpr std::array<unsigned, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};
    if (point < kLeast[length] || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000)) {
      return false;
    }
    i += length;
  }
  return true;
}

TEST(Utf8, IsWhatTheRfcSays) {
  constexpr std::array<unsigned char, 24> kBytes = {'a',  0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF,
                                                    0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED,
                                                    0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF};
  Random random(92);
  std::size_t valid = 0;
  for (int trial = 0; trial < 300'000; ++trial) {
    std::string text(random.below(5), 'x');
    for (char& c : text) c = static_cast<char>(kBytes[random.below(kBytes.size())]);
    text.insert(0, random.below(10), 'y');
    ASSERT_EQ(is_utf8(text), is_utf8_by_points(text)) << ::testing::PrintToString(text);
    valid += is_utf8(text) && text.size() > 3 ? 1 : 0;
  }
  EXPECT_GT(valid, 1000U);
}

}  // namespace
}  // namespace obliq
