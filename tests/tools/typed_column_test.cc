// Values of files as values of columns, and what a filter is given and a person shown of them.
#include "tools/typed_column.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "tools/column_values.h"
#include "tools/filter_flags.h"

namespace obliq::tools {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

/// A column of these fields; "-" is one without text and quotes.
datasets::CsvColumn texts(const std::vector<std::string>& fields) {
  datasets::CsvColumn column("c");
  for (const std::string& field : fields) {
    if (field == "-") {
      column.add(std::nullopt);
    } else {
      column.add(field);
    }
  }
  return column;
}

std::string type_of(const std::vector<std::string>& fields) {
  return to_string(type_of_texts(texts(fields)));
}

ColumnValues typed(const std::vector<std::string>& fields, ColumnType type) {
  return column_of_texts("t.csv", texts(fields), type, {});
}

std::vector<std::string> shown(const ColumnValues& column) {
  std::vector<std::string> all;
  for (std::size_t row = 0; row < column.size(); ++row) {
    all.push_back(value_json(column, row).dump());
  }
  return all;
}

void expect_refused(const std::vector<std::string>& fields, ColumnType type,
                    const std::string& reason) {
  EXPECT_THAT([&] { typed(fields, type); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("t.csv: column 'c', " + reason)));
}

TEST(TypesOfTexts, AreTheFirstThatAllRowsHave) {
  EXPECT_EQ(type_of({"true", "-", "False"}), "bool");
  EXPECT_EQ(type_of({"1", "-", "-7"}), "int64");
  EXPECT_EQ(type_of({"1", "2.5", "-"}), "double");
  EXPECT_EQ(type_of({"1e3", "inf"}), "double");
  EXPECT_EQ(type_of({"2024-05-31", "2024-05-31T12:00:00Z"}), "timestamp");
  EXPECT_EQ(type_of({"1", "2", "true"}), "keyword");
  EXPECT_EQ(type_of({"true", "1"}), "keyword");
  EXPECT_EQ(type_of({"2024-05-31", "2024-02-30"}), "keyword");
}

TEST(TypesOfTexts, AreKeywordsWhereNumbersWouldLoseDigitsOrThereIsNothing) {
  EXPECT_EQ(type_of({"1", "007"}), "keyword");
  EXPECT_EQ(type_of({"18446744073709551616"}), "keyword");
  EXPECT_EQ(type_of({"0", "-0.5"}), "double");
  EXPECT_EQ(type_of({}), "keyword");
  EXPECT_EQ(type_of({"-", "-"}), "keyword");
}

TEST(ColumnsOfTexts, HoldValuesAndNulls) {
  EXPECT_THAT(shown(typed({"1", "-", " -7 "}, ColumnType::int64)), ElementsAre("1", "null", "-7"));
  EXPECT_THAT(shown(typed({"1", ".5", "-inf"}, ColumnType::float64)),
              ElementsAre("1.0", "0.5", "\"-Infinity\""));
  EXPECT_THAT(shown(typed({"TRUE", "false", ""}, ColumnType::boolean)),
              ElementsAre("true", "false", "null"));
  EXPECT_THAT(shown(typed({"2024-05-31", "1969-12-31T23:59:59.25Z"}, ColumnType::timestamp)),
              ElementsAre("\"2024-05-31T00:00:00Z\"", "\"1969-12-31T23:59:59.250000Z\""));
  EXPECT_THAT(shown(typed({"en", "", "-", " x"}, ColumnType::keyword)),
              ElementsAre("\"en\"", "\"\"", "null", "\" x\""));
  EXPECT_THAT(shown(typed({"b|a|b", "", "-", "a|"}, ColumnType::keywords)),
              ElementsAre("[\"a\",\"b\"]", "[]", "null", "[\"\",\"a\"]"));
  EXPECT_THAT(shown(typed({"\xFF\n"}, ColumnType::bytes)), ElementsAre("\"ff0a\""));
}

TEST(ColumnsOfTexts, AreRefusedWithTheRowAndTheValue) {
  expect_refused({"1", "x"}, ColumnType::int64,
                 "row 1: 'x' is no int64; where it is a text give "
                 "--column-types c=keyword");
  expect_refused({"1.5"}, ColumnType::int64, "row 0: '1.5' is no int64");
  expect_refused({"-", "nan"}, ColumnType::float64, "row 1: NaN has no place in an order");
  expect_refused({"yes"}, ColumnType::boolean, "row 0: 'yes' is no bool");
  expect_refused({"2024-02-30"}, ColumnType::timestamp, "row 0: '2024-02-30' is no timestamp");
  expect_refused({"\xFF"}, ColumnType::keyword, "row 0: a text that is not UTF-8");
}

TEST(ColumnsOfTexts, TakeAnotherSeparatorOfAnyLength) {
  const ColumnValues column =
      column_of_texts("t.csv", texts({"a, b, a|c"}), ColumnType::keywords, {", "});
  EXPECT_THAT(shown(column), ElementsAre("[\"a\",\"a|c\",\"b\"]"));
}

TEST(ColumnsOfArrays, AreOfTheTypeOfTheirValuesOrTheOneThatIsTold) {
  const auto of = [](datasets::ValueArray array, std::optional<ColumnType> type) {
    return column_of_array("x.npy", "c", array, type, {});
  };
  const std::vector<std::int64_t> whole = {0, 1};
  EXPECT_THAT(shown(of(whole, {})), ElementsAre("0", "1"));
  EXPECT_THAT(shown(of(whole, ColumnType::float64)), ElementsAre("0.0", "1.0"));
  EXPECT_THAT(shown(of(whole, ColumnType::boolean)), ElementsAre("false", "true"));
  EXPECT_THAT(shown(of(whole, ColumnType::timestamp)),
              ElementsAre("\"1970-01-01T00:00:00Z\"", "\"1970-01-01T00:00:00.000001Z\""));
  EXPECT_THAT(shown(of(std::vector<bool>{true, false}, {})), ElementsAre("true", "false"));
  EXPECT_THAT(shown(of(std::vector<std::string>{"a", ""}, {})), ElementsAre("\"a\"", "\"\""));
  EXPECT_THAT(shown(of(std::vector<std::string>{"7", ""}, ColumnType::int64)),
              ElementsAre("7", "null"));
  const auto refused = [&](datasets::ValueArray array, ColumnType type, const char* reason) {
    EXPECT_THAT([&] { of(array, type); }, ThrowsMessage<std::invalid_argument>(HasSubstr(
                                              "x.npy: column 'c', row 0: " + std::string(reason))));
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  refused(std::vector<double>{nan}, ColumnType::float64, "NaN has no place in an order");
  refused(std::vector<double>{1}, ColumnType::int64, "a number with a fraction for a column");
  refused(std::vector<std::int64_t>{2}, ColumnType::boolean, "2 is no truth value");
  refused(std::vector<std::int64_t>{(std::int64_t{1} << 53) + 1}, ColumnType::float64,
          "'9007199254740993' is no double");
}

TEST(TimestampText, IsTheNumberBeyondTheYearsThatHaveFourDigits) {
  EXPECT_EQ(timestamp_text(253402300799999999), "9999-12-31T23:59:59.999999Z");
  EXPECT_EQ(timestamp_text(253402300800000000), "253402300800000000");
  EXPECT_EQ(timestamp_text(-62135596800000000), "0001-01-01T00:00:00Z");
  EXPECT_EQ(timestamp_text(std::numeric_limits<std::int64_t>::min()), "-9223372036854775808");
}

TEST(Params, AreJsonElseTexts) {
  EXPECT_EQ(parse_param("2020"), FilterValue(std::int64_t{2020}));
  EXPECT_EQ(parse_param("1.5"), FilterValue(1.5));
  EXPECT_EQ(parse_param("true"), FilterValue(true));
  EXPECT_EQ(parse_param("\"42\""), FilterValue(std::string("42")));
  EXPECT_EQ(parse_param("en"), FilterValue(std::string("en")));
  EXPECT_EQ(parse_param("2024-05-31"), FilterValue(std::string("2024-05-31")));
  EXPECT_EQ(parse_param("[\"a\",\"b\"]"), FilterValue(std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(parse_param("[1,2]"), FilterValue(std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(parse_param("[1,2.5]"), FilterValue(std::vector<double>{1, 2.5}));
  for (const std::string wrong : {"null", "[1,\"a\"]", "{\"a\":1}", "18446744073709551615"}) {
    EXPECT_THAT([&] { parse_param(wrong); },
                ThrowsMessage<std::invalid_argument>(HasSubstr("--param " + wrong)));
  }
}

}  // namespace
}  // namespace obliq::tools
