// Tables of columns made by hand, value by value, for tests of filters: cells as a test writes
// them, and the segment that holds them as they are stored.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "index/filter/expression.h"

namespace obliq {

/// Of one row: NULL, or a value of the type of the column (int64 and timestamp: std::int64_t).
using Cell =
    std::variant<std::monostate, bool, std::int64_t, double, std::string, std::vector<std::string>>;

struct CellTable {
  ColumnSchema schema;
  std::vector<std::vector<Cell>> columns;  ///< [column][row]

  std::size_t rows() const { return columns.empty() ? 0 : columns[0].size(); }
  std::size_t find(const std::string& name) const {
    std::size_t i = 0;
    while (schema[i].name != name) ++i;
    return i;
  }
};

/// How a table is stored.
struct StoredOptions {
  std::vector<std::uint32_t> list_rows = {};  ///< rows of each list; empty: one list
  bool with_ranges = true;
  std::uint32_t least_code_bytes = 1;
};

class StoredTable {
 public:
  explicit StoredTable(const CellTable& table, const StoredOptions& options = {})
      : options_(options), rows_(table.rows()) {
    if (options_.list_rows.empty()) options_.list_rows = {static_cast<std::uint32_t>(rows_)};
    std::uint32_t row = 0;
    for (const std::uint32_t count : options_.list_rows) {
      records_.push_back({.count = count, .primaries = count, .first_row = row});
      row += count;
    }
    auto stored = std::make_shared<ColumnTable>();
    stored->rows = rows_;
    for (std::size_t i = 0; i < table.schema.size(); ++i) {
      stored->columns.push_back(store(table.schema[i], table.columns[i]));
    }
    segment_.info.rows = segment_.info.n = rows_;
    segment_.lists = ListDirectory(records_);
    segment_.columns = std::move(stored);
  }
  StoredTable(const StoredTable&) = delete;

  const Segment& segment() const { return segment_; }

 private:
  static void set(std::vector<std::uint64_t>& words, std::size_t i) {
    words[i / 64] |= std::uint64_t{1} << i % 64;
  }

  template <typename T>
  std::vector<T>& keep(std::deque<std::vector<T>>& all, std::size_t size = 0) {
    return all.emplace_back(size);
  }

  StoredColumn store(const ColumnSpec& spec, const std::vector<Cell>& cells) {
    StoredColumn column;
    column.spec = spec;
    auto& valid = keep(words_, (rows_ + 63) / 64);
    for (std::size_t i = 0; i < rows_; ++i) {
      if (cells[i].index() != 0) set(valid, i);
    }
    const bool has_nulls =
        std::any_of(cells.begin(), cells.end(), [](const Cell& cell) { return cell.index() == 0; });
    if (has_nulls) column.valid = valid;
    if (spec.type == ColumnType::int64 || spec.type == ColumnType::timestamp) {
      column.integers = store_numbers(cells, integers_, &column.integer_ranges);
    } else if (spec.type == ColumnType::float64) {
      column.doubles = store_numbers(cells, doubles_, &column.double_ranges);
    } else if (spec.type == ColumnType::boolean) {
      auto& bits = keep(words_, (rows_ + 63) / 64);
      for (std::size_t i = 0; i < rows_; ++i) {
        const bool* value = std::get_if<bool>(&cells[i]);
        if (value != nullptr && *value) set(bits, i);
      }
      column.bits = bits;
    } else if (spec.type != ColumnType::bytes) {
      store_texts(cells, column);
    }
    return column;
  }

  template <typename T>
  std::span<const T> store_numbers(const std::vector<Cell>& cells, std::deque<std::vector<T>>& all,
                                   std::span<const T>* list_ranges) {
    auto& values = keep(all, rows_);
    auto& ranges = keep(all);
    for (const ListRecord& record : records_) {
      T least = std::numeric_limits<T>::max();
      T most = std::numeric_limits<T>::lowest();
      if (std::numeric_limits<T>::has_infinity) {
        least = std::numeric_limits<T>::infinity();
        most = -least;
      }
      for (std::size_t i = record.first_row; i < record.first_row + record.primaries; ++i) {
        if (cells[i].index() == 0) continue;
        values[i] = std::get<T>(cells[i]);
        least = std::min(least, values[i]);
        most = std::max(most, values[i]);
      }
      ranges.push_back(least);
      ranges.push_back(most);
    }
    if (options_.with_ranges) *list_ranges = ranges;
    return values;
  }

  static std::vector<std::string> texts_of(const Cell& cell) {
    if (const auto* text = std::get_if<std::string>(&cell)) return {*text};
    if (const auto* texts = std::get_if<std::vector<std::string>>(&cell)) return *texts;
    return {};
  }

  void store_texts(const std::vector<Cell>& cells, StoredColumn& column) {
    std::set<std::string> dictionary;
    for (const Cell& cell : cells) {
      for (const std::string& text : texts_of(cell)) dictionary.insert(text);
    }
    const std::vector<std::string> texts(dictionary.begin(), dictionary.end());
    auto& ends = keep(words_);
    auto& letters = keep(letters_);
    for (const std::string& text : texts) {
      letters.insert(letters.end(), text.begin(), text.end());
      ends.push_back(letters.size());
    }
    column.text_ends = ends;
    column.text = letters;
    const std::uint32_t least = texts.size() <= 256 ? 1 : texts.size() <= 65536 ? 2 : 4;
    column.code_bytes = std::max(least, options_.least_code_bytes);
    auto& codes = keep(codes_);
    auto& row_ends = keep(row_ends_);
    for (const Cell& cell : cells) {
      std::vector<std::uint32_t> row;
      for (const std::string& text : texts_of(cell)) {
        const auto place = std::lower_bound(texts.begin(), texts.end(), text);
        row.push_back(static_cast<std::uint32_t>(place - texts.begin()));
      }
      std::sort(row.begin(), row.end());
      if (row.empty() && column.spec.type == ColumnType::keyword) row.push_back(0);
      for (const std::uint32_t code : row) {
        const std::size_t at = codes.size();
        codes.resize(at + column.code_bytes);
        std::memcpy(codes.data() + at, &code, column.code_bytes);
      }
      row_ends.push_back(static_cast<std::uint32_t>(codes.size() / column.code_bytes));
    }
    column.codes = codes;
    if (column.spec.type == ColumnType::keywords) column.row_ends = row_ends;
  }

  StoredOptions options_;
  std::size_t rows_;
  std::vector<ListRecord> records_;
  std::deque<std::vector<std::uint64_t>> words_;
  std::deque<std::vector<std::int64_t>> integers_;
  std::deque<std::vector<double>> doubles_;
  std::deque<std::vector<std::uint8_t>> codes_;
  std::deque<std::vector<std::uint32_t>> row_ends_;
  std::deque<std::vector<char>> letters_;
  Segment segment_;
};

/// The rows of a segment that pass, as they come out.
inline std::vector<std::uint64_t> passing_words(const std::string& text,
                                                const std::vector<FilterValue>& params,
                                                const ColumnSchema& schema,
                                                const Segment& segment) {
  std::vector<std::uint64_t> words((segment.info.rows + 63) / 64, ~std::uint64_t{0});
  evaluate(*bind_filter(parse_filter(text, params), schema), segment, words);
  return words;
}

inline std::vector<std::uint32_t> rows_of(const std::vector<std::uint64_t>& words) {
  std::vector<std::uint32_t> rows;
  for (std::uint32_t i = 0; i < 64 * words.size(); ++i) {
    if ((words[i / 64] >> i % 64 & 1) != 0) rows.push_back(i);
  }
  return rows;
}

inline std::vector<std::uint32_t> passing_rows(const std::string& text, const CellTable& table,
                                               const std::vector<FilterValue>& params = {},
                                               const StoredOptions& options = {}) {
  const StoredTable stored(table, options);
  return rows_of(passing_words(text, params, table.schema, stored.segment()));
}

/// A column of each type, five rows; the last is NULL in all of them.
inline CellTable small_table() {
  const Cell null;
  const auto texts = [](std::vector<std::string> all) { return Cell(std::move(all)); };
  const auto integer = [](std::int64_t value) { return Cell(value); };
  const auto text = [](const char* value) { return Cell(std::string(value)); };
  return {
      .schema = {{"year", ColumnType::int64},
                 {"price", ColumnType::float64},
                 {"active", ColumnType::boolean},
                 {"at", ColumnType::timestamp},
                 {"lang", ColumnType::keyword},
                 {"tags", ColumnType::keywords},
                 {"blob", ColumnType::bytes},
                 {"order by", ColumnType::int64}},
      .columns = {{integer(2018), integer(2019), integer(2020), integer(-5), null},
                  {Cell(1.5), Cell(4.0), Cell(-0.0), Cell(1e300), null},
                  {Cell(true), Cell(false), Cell(true), Cell(false), null},
                  {integer(0), integer(1'704'067'200'000'000), integer(-1), integer(999'999), null},
                  {text("de"), text("en"), text("it's"), text("\xC3\xA9"), null},
                  {texts({"a"}), texts({"a", "b"}), texts({}), texts({"b", "c"}), null},
                  {text("x"), text("y"), text("z"), text(""), null},
                  {integer(1), integer(2), integer(3), integer(4), null}}};
}

}  // namespace obliq
