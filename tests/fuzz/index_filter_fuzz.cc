// Reads arbitrary bytes as an expression over columns of all types: the first tells how many values
// are bound, and which, the others are the text. What is refused is told in three lines with the
// caret inside the second; what is accepted leaves no row behind the last, and passes no row that
// its negation passes.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "tests/index/filter/tables.h"

namespace obliq {
namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

/// The rows of small_table over and over, so that words, lists and their ranges are filled.
CellTable tall_table() {
  CellTable table = small_table();
  for (std::vector<Cell>& column : table.columns) {
    const std::vector<Cell> few = column;
    while (column.size() < 600) column.push_back(few[column.size() / 3 % few.size()]);
  }
  return table;
}

const StoredTable& stored_table() {
  static const StoredTable kTable(tall_table(), {.list_rows = {3, 297, 0, 300}});
  return kTable;
}

const ColumnSchema& schema() {
  static const ColumnSchema kSchema = small_table().schema;
  return kSchema;
}

std::vector<FilterValue> params_of(std::uint8_t first) {
  const std::vector<FilterValue> some = {
      std::int64_t{2019},
      std::string("de"),
      1.5,
      true,
      std::vector<std::int64_t>{1, 3, 2018, 2020, 7, 9, 11},
      std::vector<std::string>{"1970-01-01", "2024-01-01"},
      std::vector<double>{-0.0, 4, std::numeric_limits<double>::infinity()},
      std::numeric_limits<double>::quiet_NaN(),
  };
  std::vector<FilterValue> params;
  for (std::size_t i = 0; i < first / 8U % 4; ++i) params.push_back(some[(first + i) % 8]);
  return params;
}

void check_message(std::string_view message) {
  require(message.starts_with("filter: "));
  require(std::count(message.begin(), message.end(), '\n') == 2);
  const std::size_t caret = message.rfind('\n');
  const std::size_t line = message.rfind('\n', caret - 1);
  require(message.ends_with("^"));
  require(message.size() - caret <= caret - line + 1);
  require(std::none_of(message.begin(), message.end(), [](char letter) {
    return static_cast<unsigned char>(letter) < 0x20 && letter != '\n';
  }));
}

void run(std::string_view text, std::uint8_t first) {
  const auto words =
      passing_words(std::string(text), params_of(first), schema(), stored_table().segment());
  require(words.back() >> (stored_table().segment().info.rows % 64) == 0);
  std::string negation = "not (";
  negation.append(text).append(")");
  try {
    const auto others =
        passing_words(negation, params_of(first), schema(), stored_table().segment());
    for (std::size_t i = 0; i < words.size(); ++i) require((words[i] & others[i]) == 0);
  } catch (const std::invalid_argument&) {  // too deep or too long with these words
    require(text.size() > 120);
  }
}

}  // namespace
}  // namespace obliq

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    obliq::run(text, data[0]);
  } catch (const std::invalid_argument& error) {
    obliq::check_message(error.what());
  }
  return 0;
}
