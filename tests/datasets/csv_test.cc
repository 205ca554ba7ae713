// Tables of text, as the standard has them and as programs write them.
#include "datasets/csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "obliq/progress.h"
#include "tests/datasets/files.h"

namespace obliq::datasets {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

using Field = std::optional<std::string_view>;

CsvTable parse(std::string_view text) {
  return parse_csv({{reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, "t.csv"});
}

std::vector<Field> fields(const CsvTable& table, std::size_t column) {
  std::vector<Field> all;
  for (std::size_t row = 0; row < table.rows; ++row) {
    all.push_back(table.columns[column].field(row));
  }
  return all;
}

void expect_refused(std::string_view text, const std::string& reason) {
  EXPECT_THAT([&] { parse(text); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("t.csv: " + reason)))
      << text;
}

TEST(CsvTables, TellAnEmptyFieldFromAnEmptyText) {
  const CsvTable table = parse("a,b\n,\"\"\n\"\",\n");
  EXPECT_THAT(fields(table, 0), ElementsAre(std::nullopt, Field("")));
  EXPECT_THAT(fields(table, 1), ElementsAre(Field(""), std::nullopt));
}

TEST(CsvTables, KeepQuotesCommasLinesAndBlanksOfFields) {
  const CsvTable table = parse("\"a \"\"b\"\"\",c\r\n\"x,\r\ny\", z \r\n");
  EXPECT_EQ(table.columns[0].name(), "a \"b\"");
  EXPECT_THAT(fields(table, 0), ElementsAre(Field("x,\r\ny")));
  EXPECT_THAT(fields(table, 1), ElementsAre(Field(" z ")));
}

TEST(CsvTables, PassOverAMarkAtTheStartEmptyLinesAndAMissingEndOfTheLast) {
  const CsvTable table = parse("\xEF\xBB\xBFid\n1\n\n2");
  EXPECT_EQ(table.columns[0].name(), "id");
  EXPECT_THAT(fields(table, 0), ElementsAre(Field("1"), Field("2")));
  EXPECT_EQ(parse("a,b\n").rows, 0);
}

TEST(CsvTables, AreRefusedWithTheRowAndTheReason) {
  expect_refused("", "is empty: its first line names the columns");
  expect_refused("a,b\n1,2\n1\n", "row 1: 1 fields, but the header names 2 columns");
  expect_refused("a\n1\n2,3\n", "row 1: 2 fields, but the header names 1 columns");
  expect_refused("a,a\n", "header: column 'a' comes twice");
  std::string many = "c0";
  for (int i = 1; i <= 1000; ++i) many += ",c" + std::to_string(i);
  expect_refused(many, "header: more than 1000 columns are named");
  expect_refused("a,\n", "header: column 2 has no name");
  expect_refused("a\n1\n\"2\n", "row 1: a quote stands inside");
  expect_refused("a\n1\nb\"2\"\n", "row 1: a quote stands inside");
}

// Fields are told piece by piece: one that lies across a border is whole.
TEST(CsvTables, LargerThanAPieceAreReadWhole) {
  std::string text = "a,b\n";
  const std::string letters(1000, 'x');
  for (int i = 0; i < 3000; ++i) text += std::to_string(i) + ",\"" + letters + "\"\n";
  const TemporaryFolder folder;
  write_bytes(folder.file("t.csv"), {text.begin(), text.end()});
  int calls = 0;
  const CsvTable table = read_csv(folder.file("t.csv"), [&](std::string_view, double fraction) {
    ++calls;
    return fraction <= 1;
  });
  EXPECT_EQ(table.rows, 3000);
  EXPECT_GE(calls, 3);
  for (std::size_t row = 0; row < table.rows; ++row) {
    ASSERT_EQ(table.columns[0].field(row), std::to_string(row));
    ASSERT_EQ(table.columns[1].field(row), letters);
  }
  EXPECT_THROW(read_csv(folder.file("t.csv"), [](std::string_view, double) { return false; }),
               Cancelled);
  EXPECT_THROW(read_csv(folder.file("none.csv")), std::system_error);
}

}  // namespace
}  // namespace obliq::datasets
