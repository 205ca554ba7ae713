// What small tables do not have: dictionaries whose codes take two and four bytes, long lists of
// values, stretches of lists that their ranges decide, and codes that no sound file has.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <bit>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "tests/index/filter/tables.h"

namespace obliq {
namespace {

std::string text_of(std::size_t i) { return fmt::format("t{:06}", i); }

/// Row i holds text i * step modulo `texts`.
CellTable table_of_texts(std::size_t texts, std::size_t step) {
  CellTable table{.schema = {{"word", ColumnType::keyword}, {"words", ColumnType::keywords}},
                  .columns = {{}, {}}};
  for (std::size_t i = 0; i < texts; ++i) {
    table.columns[0].emplace_back(text_of(i * step % texts));
    table.columns[1].emplace_back(std::vector{text_of(i * step % texts)});
  }
  return table;
}

void expect_rows(const CellTable& table, const Segment& segment, std::size_t step,
                 const std::string& question, const std::vector<FilterValue>& params, auto passes) {
  const std::size_t texts = table.rows();
  std::vector<std::uint32_t> expected;
  for (std::uint32_t i = 0; i < texts; ++i) {
    if (passes(i * step % texts)) expected.push_back(i);
  }
  for (const std::string column : {"word ", "words "}) {
    const auto words = passing_words(column + question, params, table.schema, segment);
    EXPECT_EQ(rows_of(words), expected) << column << question;
  }
}

TEST(LargeFilters, compare_texts_of_dictionaries_of_any_size) {
  for (const std::size_t texts : {255U, 256U, 257U, 65'536U, 65'537U}) {
    const std::size_t step = 7919;  // a prime that divides none of these numbers
    const CellTable table = table_of_texts(texts, step);
    const StoredTable stored(table);
    const std::size_t last = texts - 1;
    expect_rows(table, stored.segment(), step, "= ?", {text_of(last)},
                [&](std::size_t i) { return i == last; });
    expect_rows(table, stored.segment(), step, "!= ?", {text_of(0)},
                [](std::size_t i) { return i != 0; });
    expect_rows(table, stored.segment(), step, ">= ''", {}, [](std::size_t) { return true; });
    expect_rows(table, stored.segment(), step, "> ?", {text_of(200)},
                [](std::size_t i) { return i > 200; });
    const std::vector<std::size_t> places = {0, 3, 6, 100, 200, last};
    std::vector<std::string> list = {"nowhere"};
    for (const std::size_t place : places) list.push_back(text_of(place));
    const auto among = [&](std::size_t i) {
      return std::find(places.begin(), places.end(), i) != places.end();
    };
    expect_rows(table, stored.segment(), step, "in ?", {list}, among);
    expect_rows(table, stored.segment(), step, "not in ?", {list},
                [&](std::size_t i) { return !among(i); });
  }
}

TEST(LargeFilters, take_lists_that_are_longer_than_the_dictionary) {
  const CellTable table = table_of_texts(300, 7);
  const StoredTable stored(table);
  std::vector<std::string> list;
  for (std::size_t i = 0; i < 5000; ++i) list.push_back(text_of(3 * i));
  expect_rows(table, stored.segment(), 7, "in ?", {list}, [](std::size_t i) { return i % 3 == 0; });
}

TEST(LargeFilters, take_long_lists_of_numbers_near_and_far) {
  constexpr std::int64_t kFar = 1'000'000'007;
  CellTable table{.schema = {{"near", ColumnType::int64},
                             {"far", ColumnType::int64},
                             {"real", ColumnType::float64}},
                  .columns = {{}, {}, {}}};
  std::vector<std::int64_t> near_list;
  std::vector<std::int64_t> far_list;
  std::vector<double> real_list;
  std::vector<std::uint32_t> expected;
  for (std::int64_t i = 0; i < 2000; ++i) {
    table.columns[0].emplace_back(i);
    table.columns[1].emplace_back(i * kFar);
    table.columns[2].emplace_back(static_cast<double>(i) / 3);
    if (i % 7 != 0) continue;
    near_list.push_back(i);
    far_list.push_back(i * kFar);
    real_list.push_back(static_cast<double>(i) / 3);
    expected.push_back(static_cast<std::uint32_t>(i));
  }
  far_list.push_back(std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(passing_rows("near in ?", table, {near_list}), expected);
  EXPECT_EQ(passing_rows("far in ?", table, {far_list}), expected);
  EXPECT_EQ(passing_rows("real in ?", table, {real_list}), expected);
}

TEST(LargeFilters, take_the_word_of_ranges_for_lists_that_they_decide) {
  // Ranges that say something else than the values tell which of them were read.
  std::vector<std::int64_t> values(3000, 5);
  const std::vector<std::int64_t> ranges = {1, 2, 5, 5, 0, 9};
  std::vector<ListRecord> records(3);
  for (std::uint32_t i = 0; i < 3; ++i) {
    records[i].count = records[i].primaries = 1000;
    records[i].first_row = 1000 * i;
  }
  auto table = std::make_shared<ColumnTable>();
  table->rows = values.size();
  table->columns.resize(1);
  table->columns[0].spec = {"a", ColumnType::int64};
  table->columns[0].integers = values;
  table->columns[0].integer_ranges = ranges;
  Segment segment;
  segment.info.rows = segment.info.n = values.size();
  segment.lists = ListDirectory(records);
  segment.columns = table;
  std::fill(values.begin() + 1000, values.begin() + 2000, 77);  // [5, 5] says otherwise
  const auto count = [&](const std::string& text) {
    std::size_t rows = 0;
    for (const std::uint64_t word : passing_words(text, {}, {{"a", ColumnType::int64}}, segment)) {
      rows += static_cast<std::size_t>(std::popcount(word));
    }
    return rows;
  };
  EXPECT_EQ(count("a = 5"), 2000U);   // the second list unread, the third read
  EXPECT_EQ(count("a < 3"), 1000U);   // the first unread
  EXPECT_EQ(count("a != 5"), 1000U);  // the first
  EXPECT_EQ(count("a in (4, 6, 8, 10, 12, 14, 5)"), 2000U);
}

TEST(LargeFilters, stay_within_columns_that_are_damaged) {
  const CellTable table = table_of_texts(100, 7);
  const StoredTable stored(table);
  ColumnTable damaged = *stored.segment().columns;
  const std::vector<std::uint8_t> codes(100, 255);
  std::vector<std::uint32_t> ends(100, 0xFFFFFFFF);
  for (std::size_t i = 0; i < ends.size(); i += 3) ends[i] = 0;
  for (StoredColumn& column : damaged.columns) column.codes = codes;
  damaged.columns[1].row_ends = ends;
  Segment segment = stored.segment();
  segment.columns = std::make_shared<ColumnTable>(damaged);
  for (const std::string question : {"= 't000003'", "> 't000003'",
                                     "in ('t000001', 't000003', "
                                     "'t000005', 't000007', 't000009', 't000099')"}) {
    for (const std::string column : {"word ", "words "}) {
      const auto words = passing_words(column + question, {}, table.schema, segment);
      EXPECT_EQ(words.back() >> 36, 0U);  // 100 rows end there
    }
  }
}

}  // namespace
}  // namespace obliq
