// Text tables whose columns line up.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace obliq::tools {

enum class Align { left, right };

struct Column {
  std::string name;
  Align align = Align::right;
};

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  /// Adds a row; requires one cell a column.
  void add(std::vector<std::string> cells);
  /// Header, a rule and the rows, two spaces between columns, nothing after the last cell.
  std::string text() const;

 private:
  std::string line(const std::vector<std::string>& cells,
                   const std::vector<std::size_t>& widths) const;

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// The number of code points in UTF-8 text: how wide a terminal shows it, wide letters aside.
std::size_t utf8_width(std::string_view text);

/// At most `width` code points of `text`, on one line; cut text ends in "...". Requires width > 3.
std::string shorten(std::string_view text, std::size_t width);

/// 12345.6 -> "12,346"; 12.345 -> "12.3": for rates.
std::string rate_text(double value);

}  // namespace obliq::tools
