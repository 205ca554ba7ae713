// What expressions mean, by rows of a small table (tables.h): year 2018 2019 2020 -5, price 1.5 4
// -0 1e300, active 1 0 1 0, at 1970, 2024-01-01, .000001 s before 1970, .999999 s of it, lang de en
// it's e-acute, tags {a} {a, b} {} {b, c}; row 4 is NULL in every column.
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "tests/index/filter/tables.h"

namespace obliq {
namespace {

using Rows = std::vector<std::uint32_t>;

struct Case {
  std::string text;
  Rows rows;
  std::vector<FilterValue> params = {};
};

void expect_all(const std::vector<Case>& cases) {
  const CellTable table = small_table();
  for (const Case& one : cases) {
    SCOPED_TRACE(one.text);
    EXPECT_EQ(passing_rows(one.text, table, one.params), one.rows);
    EXPECT_EQ(passing_rows(one.text, table, one.params, {.with_ranges = false}), one.rows);
  }
}

TEST(FilterMeaning, integers_are_compared_with_integers_and_floats) {
  expect_all({{"year = 2019", {1}},
              {"year != 2019", {0, 2, 3}},
              {"year <> 2019", {0, 2, 3}},
              {"year < 2019", {0, 3}},
              {"year <= 2019", {0, 1, 3}},
              {"year > 2019", {2}},
              {"year >= 2019", {1, 2}},
              {"year >= 2018.5", {1, 2}},
              {"year < 2019.0", {0, 3}},
              {"year = 2019.5", {}},
              {"year != 2019.5", {0, 1, 2, 3}},
              {"year = -5", {3}},
              {"year = +2019", {1}},
              {"year < 1e300", {0, 1, 2, 3}},
              {"year > -1e300", {0, 1, 2, 3}},
              {"year = .5", {}},
              {"year>-6 and year<2.019E3", {0, 3}}});
}

TEST(FilterMeaning, a_value_may_stand_first) {
  expect_all({{"2019 < year", {2}},
              {"2019 >= year", {0, 1, 3}},
              {"2019 = year", {1}},
              {"2019 <> year", {0, 2, 3}},
              {"? > year", {0, 3}, {std::int64_t{2019}}},
              {"'de' = lang", {0}}});
}

TEST(FilterMeaning, doubles_are_compared_with_both_kinds_of_numbers) {
  expect_all({{"price = 4", {1}},
              {"price < 4", {0, 2}},
              {"price = 0", {2}},
              {"price >= 0.0", {0, 1, 2, 3}},
              {"price > 0", {0, 1, 3}},
              {"price < 0", {}},
              {"price = 1e300", {3}},
              {"price in (0, 4, 7)", {1, 2}},
              {"price in (0, 2, 4, 7, 9, 11)", {1, 2}},
              {"price <= ?", {0, 1, 2, 3}, {std::numeric_limits<double>::infinity()}}});
}

TEST(FilterMeaning, large_integers_are_not_rounded_to_doubles) {
  const std::int64_t big = (std::int64_t{1} << 53) + 1;
  const CellTable table{.schema = {{"i", ColumnType::int64}, {"d", ColumnType::float64}},
                        .columns = {{Cell(big - 1), Cell(big)}, {Cell(0x1p53), Cell(0x1p53 + 2)}}};
  EXPECT_EQ(passing_rows("i > 9007199254740992.0", table), (Rows{1}));
  EXPECT_EQ(passing_rows("i = 9007199254740992.0", table), (Rows{0}));
  EXPECT_EQ(passing_rows("d = 9007199254740993", table), Rows{});
  EXPECT_EQ(passing_rows("d < 9007199254740993", table), (Rows{0}));
  EXPECT_EQ(passing_rows("d >= 9007199254740993", table), (Rows{1}));
  EXPECT_EQ(passing_rows("d > 9223372036854775807", table), Rows{});
  EXPECT_EQ(passing_rows("i < 9223372036854775808.0", table), (Rows{0, 1}));
  EXPECT_EQ(passing_rows("i >= -9223372036854775808", table), (Rows{0, 1}));
}

TEST(FilterMeaning, bools_stand_alone_or_are_compared) {
  expect_all({{"active", {0, 2}},
              {"not active", {1, 3}},
              {"active = true", {0, 2}},
              {"active != TRUE", {1, 3}},
              {"active in (true, false)", {0, 1, 2, 3}},
              {"active not in (false)", {0, 2}},
              {"active = ?", {1, 3}, {false}},
              {"active and year >= 2019 or not active and year < 0", {2, 3}}});
}

TEST(FilterMeaning, timestamps_are_texts_of_iso_8601_or_microseconds) {
  expect_all({{"at >= '2024-01-01'", {1}},
              {"at = timestamp '2024-01-01T01:00:00+01:00'", {1}},
              {"TimeStamp'2024-01-01' <= at", {1}},
              {"at < '1970-01-01 00:00:00Z'", {2}},
              {"at between '1970-01-01' and '1970-01-01T00:00:00.999999'", {0, 3}},
              {"at in ('1970-01-01', '2024-01-01')", {0, 1}},
              {"at in ?", {0, 1}, {std::vector<std::string>{"1970-01-01", "2024-01-01"}}},
              {"at in ?", {2, 3}, {std::vector<std::int64_t>{-1, 999'999}}},
              {"at <= 0", {0, 2}}});
}

TEST(FilterMeaning, keywords_of_one_text_are_compared_by_bytes) {
  expect_all({{"lang = 'de'", {0}},
              {"lang != 'de'", {1, 2, 3}},
              {"lang > 'en'", {2, 3}},
              {"lang >= 'en' and lang < 'j'", {1, 2}},
              {"lang between 'de' and 'en'", {0, 1}},
              {"lang between 'en' and 'de'", {}},
              {"lang = 'it''s'", {2}},
              {"lang = '\xC3\xA9'", {3}},
              {"lang = 'fr'", {}},
              {"lang in ('en', 'de', 'fr', 'en')", {0, 1}},
              {"lang not in ('en', 'de')", {2, 3}},
              {"lang = ?", {2}, {std::string("it's")}},
              {"lang > ''", {0, 1, 2, 3}},
              {"lang < ''", {}}});
}

TEST(FilterMeaning, keywords_of_several_texts_satisfy_what_one_of_them_does) {
  expect_all({{"tags = 'a'", {0, 1}},
              {"tags != 'a'", {2, 3}},
              {"not tags = 'a'", {2, 3}},
              {"not (tags != 'a')", {0, 1}},
              {"tags = 'a' and tags = 'b'", {1}},
              {"tags in ('c', 'a')", {0, 1, 3}},
              {"tags not in ('c', 'a')", {2}},
              {"tags > 'b'", {3}},
              {"tags not between 'b' and 'c'", {0, 2}},
              {"tags is not null", {0, 1, 2, 3}}});
}

TEST(FilterMeaning, null_is_neither_true_nor_false) {
  expect_all({{"year is null", {4}},
              {"year is not null", {0, 1, 2, 3}},
              {"not year is null", {0, 1, 2, 3}},
              {"blob is null", {4}},
              {"blob IS NOT NULL", {0, 1, 2, 3}},
              {"year = 2019 or not year = 2019", {0, 1, 2, 3}},
              {"year is null or year = 2019", {1, 4}},
              {"not (year is null or year = 2019)", {0, 2, 3}},
              {"not (year = 2019 and active is null)", {0, 1, 2, 3}}});
}

TEST(FilterMeaning, lists_hold_values_or_are_bound) {
  expect_all({{"year in (2018, 2020.0, 2020.5)", {0, 2}},
              {"year not in (2018, 2020)", {1, 3}},
              {"year in (?, ?)", {0, 1}, {std::int64_t{2018}, 2019.0}},
              {"year in ?", {0, 3}, {std::vector<std::int64_t>{-5, 2018, 7}}},
              {"year in ?", {0, 3}, {std::vector<double>{-5, 2018, 7.5}}},
              {"year in ?", {0}, {std::vector<std::int64_t>{1, 3, 5, 7, 9, 2018}}},
              {"year not in ?", {1, 2, 3}, {std::vector<std::int64_t>{1, 3, 5, 7, 9, 2018}}},
              {"lang in ?", {0, 1}, {std::vector<std::string>{"en", "de"}}},
              {"year in ?", {}, {std::vector<std::string>{}}},
              {"year not in ?", {0, 1, 2, 3}, {std::vector<std::int64_t>{}}},
              {"active in ?", {}, {std::vector<double>{}}}});
}

TEST(FilterMeaning, the_and_of_between_belongs_to_it) {
  expect_all({{"year between 2018 and 2019 and active", {0}},
              {"year not between 2018 and 2019", {2, 3}},
              {"not year between 2018 and 2019", {2, 3}},
              {"not (price between 3 and 5)", {0, 2, 3}},
              {"price between 1.5 and 4", {0, 1}}});
}

TEST(FilterMeaning, and_binds_closer_than_or_and_not_closer_than_both) {
  expect_all({{"year = 2018 or year = 2019 and active", {0}},
              {"(year = 2018 or year = 2019) and active", {0}},
              {"year = 2018 or (year = 2019 and active)", {0}},
              {"year = 2019 or year = 2018 and active", {0, 1}},
              {"(year = 2019 or year = 2018) and active", {0}},
              {"not active and year = 2019", {1}},
              {"not not active", {0, 2}},
              {"NOT(active)Or(year=2018)", {0, 1, 3}}});
}

TEST(FilterMeaning, names_are_words_or_stand_in_double_quotes) {
  expect_all({{"\"order by\" = 3", {2}}, {"\"year\" = 2019", {1}}});
  const CellTable table{.schema = {{"a.b", ColumnType::int64},
                                   {"say \"hi\"", ColumnType::int64},
                                   {"and", ColumnType::int64},
                                   {"timestamp", ColumnType::int64},
                                   {"android", ColumnType::int64}},
                        .columns = {{Cell(std::int64_t{1})},
                                    {Cell(std::int64_t{2})},
                                    {Cell(std::int64_t{3})},
                                    {Cell(std::int64_t{4})},
                                    {Cell(std::int64_t{5})}}};
  EXPECT_EQ(passing_rows("a.b=1 and \"say \"\"hi\"\"\" = 2 and \"and\"=3 and timestamp = 4 and "
                         "android = 5",
                         table),
            (Rows{0}));
}

TEST(FilterMeaning, a_column_that_a_segment_lacks_is_null_throughout) {
  const CellTable table{.schema = {{"a", ColumnType::int64}},
                        .columns = {std::vector<Cell>(70, Cell(std::int64_t{1}))}};
  const ColumnSchema schema = {{"a", ColumnType::int64}, {"b", ColumnType::keyword}};
  const StoredTable stored(table);
  const auto words = [&](const std::string& text) {
    return passing_words(text, {}, schema, stored.segment());
  };
  const std::vector<std::uint64_t> all = {~std::uint64_t{0}, 63};
  const std::vector<std::uint64_t> none = {0, 0};
  EXPECT_EQ(words("b is null"), all);
  EXPECT_EQ(words("b is not null"), none);
  EXPECT_EQ(words("b = 'x'"), none);
  EXPECT_EQ(words("b != 'x'"), none);
  EXPECT_EQ(words("b = 'x' or a = 1"), all);
  Segment bare = stored.segment();
  bare.columns = nullptr;
  EXPECT_EQ(passing_words("a is null", {}, schema, bare), all);
}

TEST(FilterMeaning, a_filter_outlives_the_text_and_the_values_it_was_made_from) {
  const CellTable table = small_table();
  const StoredTable stored(table);
  std::shared_ptr<const BoundFilter> bound;
  {
    const std::string text = "lang in ? and lang >= 'dd'";
    bound = bind_filter(parse_filter(text, {std::vector<std::string>{"en", "de"}}), table.schema);
  }
  std::vector<std::uint64_t> words(1);
  evaluate(*bound, stored.segment(), words);
  EXPECT_EQ(words[0], 3U);
}

}  // namespace
}  // namespace obliq
