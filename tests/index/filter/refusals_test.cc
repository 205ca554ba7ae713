// Every way to refuse an expression, word for word: the message, the line and the caret. The
// columns are those of tables.h.
#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/index/filter/tables.h"

namespace obliq {
namespace {

/// What parsing and binding says; "" when nothing.
std::string fault_of(const std::string& text, const std::vector<FilterValue>& params = {},
                     const ColumnSchema& schema = small_table().schema) {
  try {
    bind_filter(parse_filter(text, params), schema);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

struct Case {
  std::string text;
  std::size_t column = 0;  // of the caret, from 0
  std::string message;
  std::vector<FilterValue> params = {};
};

void expect_all(const std::vector<Case>& cases) {
  for (const Case& one : cases) {
    EXPECT_EQ(fault_of(one.text, one.params), "filter: " + one.message + "\n  " + one.text +
                                                  "\n  " + std::string(one.column, ' ') + "^");
  }
}

TEST(FilterRefusals, what_is_no_expression) {
  expect_all({
      {"", 0, "the expression is empty"},
      {"year >= ", 8, "expected a value, found the end"},
      {"year >= and", 8, "expected a value, found 'and'"},
      {"year", 0,
       "column 'year' is int64, which is compared with something; only one of bool "
       "stands alone"},
      {"year 2020", 5, "expected a comparison, 'and', 'or' or the end, found '2020'"},
      {"(active x", 8, "expected a comparison, 'and', 'or' or ')', found 'x'"},
      {"(year = 2020", 12, "expected 'and', 'or' or ')', found the end"},
      {"year = 2020)", 11, "expected 'and', 'or' or the end, found ')'"},
      {"year = 2020 lang = 'de'", 12, "expected 'and', 'or' or the end, found 'lang'"},
      {"or year = 2020", 0, "expected a condition, found 'or'"},
      {"year = 2020 and", 15, "expected a condition, found the end"},
      {"not", 3, "expected a condition, found the end"},
      {"()", 1, "expected a condition, found ')'"},
      {"3", 1, "expected a comparison, found the end"},
      {"3 and active", 2, "expected a comparison, found 'and'"},
      {"true", 4, "expected a comparison, found the end"},
      {"3 = 4", 0, "a comparison needs a column"},
      {"year = price", 7,
       "expected a value, found the column 'price'; a text would stand in quotes"},
      {"lang = \"de\"", 7,
       "expected a value, found the column 'de'; a text stands in single quotes"},
      {"year == 2020", 6, "expected a value, found '='; equality is written '='"},
      {"active && active", 7,
       "expected a comparison, 'and', 'or' or the end, found '&'; write "
       "'and'"},
      {"active || active", 7,
       "expected a comparison, 'and', 'or' or the end, found '|'; write "
       "'or'"},
      {"!active", 0, "expected a condition, found '!'; write 'not'"},
      {"active; drop", 6, "expected a comparison, 'and', 'or' or the end, found ';'"},
      {"\xC3\xA9t\xC3\xA9 = 1", 0, "expected a condition, found '\xC3\xA9'"},
  });
}

TEST(FilterRefusals, lists_and_ranges_that_are_not_whole) {
  expect_all({
      {"year in 3", 8, "expected '(' or '?', found '3'"},
      {"year in ()", 9, "expected a value, found ')'"},
      {"year in (1", 10, "expected ',' or ')', found the end"},
      {"year in (1 2)", 11, "expected ',' or ')', found '2'"},
      {"year in (1,)", 11, "expected a value, found ')'"},
      {"year in (1, price)", 12,
       "expected a value, found the column 'price'; a text would stand in "
       "quotes"},
      {"year not 3", 9, "expected 'in' or 'between', found '3'"},
      {"year between 3 or 4", 15, "expected the 'and' of between, found 'or'"},
      {"year between 3", 14, "expected the 'and' of between, found the end"},
      {"year between 3 and", 18, "expected a value, found the end"},
      {"year is 3", 8, "expected 'null' or 'not null', found '3'"},
      {"year is not true", 12, "expected 'null' or 'not null', found 'true'"},
      {"3 in (year)", 0, "expected a column before 'in'"},
      {"3 between 1 and 2", 0, "expected a column before 'between'"},
      {"null is null", 0, "expected a column before 'is'"},
  });
}

TEST(FilterRefusals, comparisons_with_null) {
  expect_all({
      {"year = null", 7, "nothing is equal to null, nor less or greater; write 'is null'"},
      {"year < NULL", 7, "nothing is equal to null, nor less or greater; write 'is null'"},
      {"null = year", 0, "nothing is equal to null, nor less or greater; write 'is null'"},
      {"year != null", 8, "nothing differs from null; write 'is not null'"},
      {"year in (1, null)", 12, "nothing is equal to null, nor less or greater; write 'is null'"},
      {"year between null and 3", 13,
       "nothing is equal to null, nor less or greater; write 'is null'"},
  });
}

TEST(FilterRefusals, values_that_are_none) {
  expect_all({
      {"year = 9223372036854775808", 7, "'9223372036854775808' is out of the range of int64"},
      {"year = -9223372036854775809", 7, "'-9223372036854775809' is out of the range of int64"},
      {"price = 1e400", 8, "'1e400' is out of the range of double"},
      {"price = -1e400", 8, "'-1e400' is out of the range of double"},
      {"price = 3x", 8, "'3x' is no number"},
      {"price = 0x10", 8, "'0x10' is no number"},
      {"price = 1.2.3", 8, "'1.2.3' is no number"},
      {"price = 1e", 8, "'1e' is no number"},
      {"lang = 'de", 7, "the text has no closing quote"},
      {"lang = 'de''", 7, "the text has no closing quote"},
      {"\"lang = 3", 0, "the name has no closing double quote"},
      {"\"\" = 3", 0, "the name is empty"},
      {"at = timestamp '2024-02-30'", 15,
       "'2024-02-30' is no time of ISO 8601 such as '2024-05-31T12:00:00Z'"},
      {"at = '2024'", 5,
       "column 'at' is timestamp, and '2024' is no time of ISO 8601 such as "
       "'2024-05-31T12:00:00Z'"},
  });
}

TEST(FilterRefusals, names_that_there_are_none_of) {
  expect_all({
      {"yaer >= 2020", 0, "there is no column 'yaer'; did you mean 'year'?"},
      {"active and Year = 1", 11, "there is no column 'Year'; did you mean 'year'?"},
      {"\"orderby\" = 1", 0, "there is no column 'orderby'; did you mean 'order by'?"},
      {"not (lung = 'de')", 5, "there is no column 'lung'; did you mean 'lang'?"},
      {"tag is null", 0, "there is no column 'tag'; did you mean 'tags' or 'lang'?"},
      {"publisher = 1", 0,
       "there is no column 'publisher'; there are 'year', 'price', 'active', 'at', 'lang', 'tags', "
       "'blob' and 'order by'"},
  });
  EXPECT_EQ(fault_of("a = 1", {}, {}),
            "filter: there is no column 'a'; there are no columns\n  a = 1\n  ^");
  EXPECT_EQ(fault_of("a = 1", {}, {{"width", ColumnType::int64}}),
            "filter: there is no column 'a'; the only one is 'width'\n  a = 1\n  ^");
  EXPECT_EQ(fault_of("a = 1", {}, ColumnSchema(9, {"width", ColumnType::int64})),
            "filter: there is no column 'a'\n  a = 1\n  ^");
}

TEST(FilterRefusals, values_of_another_type_than_the_column) {
  expect_all({
      {"year = 'abc'", 7, "column 'year' is int64, and 'abc' is a text"},
      {"year = true", 7, "column 'year' is int64, and true is a bool"},
      {"price in (1, 'x')", 13, "column 'price' is double, and 'x' is a text"},
      {"price = timestamp '2024-01-01'", 8,
       "column 'price' is double, and the value is a timestamp"},
      {"active = 1", 9, "column 'active' is bool, and 1 is an integer"},
      {"active = 'yes'", 9, "column 'active' is bool, and 'yes' is a text"},
      {"at > 2.5", 5, "column 'at' is timestamp, and 2.5 is a double"},
      {"at > false", 5, "column 'at' is timestamp, and false is a bool"},
      {"lang = 3", 7, "column 'lang' is keyword, and 3 is an integer"},
      {"lang between 'a' and 3", 21, "column 'lang' is keyword, and 3 is an integer"},
      {"tags = timestamp '2024-01-01'", 7,
       "column 'tags' is keywords, and the value is a timestamp"},
      {"year in ?",
       8,
       "column 'year' is int64, and the values of the list are texts",
       {std::vector<std::string>{"1"}}},
      {"lang in ?",
       8,
       "column 'lang' is keyword, and the values of the list are integers",
       {std::vector<std::int64_t>{1}}},
      {"at in ?",
       6,
       "column 'at' is timestamp, and the values of the list are doubles",
       {std::vector<double>{1}}},
      {"active in ?",
       10,
       "column 'active' is bool, and the values of the list are integers",
       {std::vector<std::int64_t>{1}}},
      {"at in ?",
       6,
       "column 'at' is timestamp, and 'now' is no time of ISO 8601 such as "
       "'2024-05-31T12:00:00Z'",
       {std::vector<std::string>{"now"}}},
  });
}

TEST(FilterRefusals, questions_that_a_type_does_not_take) {
  const std::string bools = ", which is asked only =, !=, 'in' and 'is null', or stands alone";
  expect_all({
      {"blob = 'x'", 0, "column 'blob' is bytes, which is asked only 'is null' and 'is not null'"},
      {"blob", 0, "column 'blob' is bytes, which is asked only 'is null' and 'is not null'"},
      {"active < true", 0, "column 'active' is bool" + bools},
      {"active between false and true", 0, "column 'active' is bool" + bools},
      {"active and lang", 11,
       "column 'lang' is keyword, which is compared with something; only one "
       "of bool stands alone"},
  });
}

TEST(FilterRefusals, bound_values_that_do_not_fit) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::int64_t one = 1;
  expect_all({
      {"year = ? and price = ?", 21, "the number of '?' is 2, that of the values 1", {one}},
      {"year = ?", 7, "the number of '?' is 1, that of the values 0"},
      {"year in ?", 8, "the number of '?' is 1, that of the values 0"},
      {"year = ?", 8, "the number of '?' is 1, that of the values 2", {one, one}},
      {"year = 3", 8, "the number of '?' is 0, that of the values 1", {one}},
      {"year = ? and price = ?", 21, "value 2 is NaN, which equals nothing", {one, nan}},
      {"price in ?", 9, "value 1 is NaN, which equals nothing", {std::vector<double>{1, nan}}},
      {"year = ?", 7, "a list of values is compared by 'in ?'", {std::vector<std::int64_t>{1}}},
      {"year between ? and 3",
       13,
       "a list of values is compared by 'in ?'",
       {std::vector<std::int64_t>{1}}},
      {"year in (?)",
       9,
       "a list of values stands alone, as in 'in ?'",
       {std::vector<std::int64_t>{1}}},
      {"year in ?", 8, "'in ?' takes a list of values; write 'in (?)' for one", {one}},
      {"? = 3", 0, "a comparison needs a column", {one}},
      {"lang in ?",
       8,
       "the list of value 1 has 1000001 entries, at most 1000000 can be",
       {std::vector<std::string>(1'000'001)}},
  });
  EXPECT_EQ(fault_of("lang in ?", {std::vector<std::string>(1'000'000)}), "");
}

TEST(FilterRefusals, what_is_too_long_or_too_deep) {
  const std::string deepest = std::string(64, '(') + "active" + std::string(64, ')');
  EXPECT_EQ(fault_of(deepest), "");
  EXPECT_EQ(fault_of("active and (" + deepest + ")").substr(0, 60),
            "filter: nested deeper than 64 of 'not' and parentheses\n  ...");
  std::string nots = "active";
  for (int i = 0; i < 65; ++i) nots.insert(0, "not ");
  EXPECT_TRUE(fault_of(nots).starts_with("filter: nested deeper than 64"));
  EXPECT_EQ(fault_of(nots.substr(4)), "");
  std::string longest = "active";
  while (longest.size() + 11 <= 65'536) longest += " or active";
  longest.resize(65'536, ' ');
  EXPECT_EQ(fault_of(longest), "");
  EXPECT_TRUE(fault_of(longest + " ")
                  .starts_with("filter: the expression has 65537 bytes, at most 65536 can be; bind "
                               "long lists to 'in ?'"));
}

TEST(FilterRefusals, show_the_line_and_count_characters) {
  EXPECT_EQ(fault_of("active and\n  lang = '\xC3\xA9\xE4\xB8\xAD' and yaer = 1\nor active"),
            "filter: there is no column 'yaer'; did you mean 'year'?\n"
            "    lang = '\xC3\xA9\xE4\xB8\xAD' and yaer = 1\n"
            "                    ^");
  EXPECT_EQ(fault_of("year =\n"), "filter: expected a value, found the end\n  year =\n        ^");
}

TEST(FilterRefusals, show_what_a_terminal_would_obey_as_a_mark) {
  EXPECT_EQ(fault_of("\t\"\x1B[2J\xE2\x80\xAE\xFF\" = 1 and"),
            "filter: expected a condition, found the end\n"
            "   \"\xEF\xBF\xBD[2J\xEF\xBF\xBD\xEF\xBF\xBD\" = 1 and\n" +
                std::string(19, ' ') + "^");
  EXPECT_EQ(fault_of(std::string("active \0", 8)),
            "filter: expected a comparison, 'and', 'or' or the end, found '\xEF\xBF\xBD'\n"
            "  active \xEF\xBF\xBD\n         ^");
}

TEST(FilterRefusals, show_a_part_of_a_long_line) {
  std::string text = "active";
  for (int i = 0; i < 20; ++i) text += " and active";
  const std::string fault = fault_of(text + " and yaer = 1 and active" + text.substr(6));
  EXPECT_EQ(fault,
            "filter: there is no column 'yaer'; did you mean 'year'?\n"
            "  ...nd active and active and active and yaer = 1 and active and active and a...\n" +
                std::string(41, ' ') + "^");
}

TEST(FilterRefusals, cut_names_and_texts_that_are_long) {
  const std::string name(300, 'n');
  EXPECT_TRUE(
      fault_of(name + " = 1")
          .starts_with("filter: there is no column '" + std::string(40, 'n') + "...'; there are"));
}

}  // namespace
}  // namespace obliq
