#include "tools/table.h"

#include <fmt/core.h>

#include <algorithm>
#include <cassert>
#include <utility>

namespace obliq::tools {
namespace {

bool starts_code_point(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; }

}  // namespace

std::size_t utf8_width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), starts_code_point));
}

std::string shorten(std::string_view text, std::size_t width) {
  std::string out(text);
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c == '\n' || c == '\t'; }, ' ');
  if (utf8_width(out) <= width) return out;
  std::size_t points = 0;
  std::size_t end = 0;
  while (end < out.size()) {
    if (starts_code_point(out[end]) && ++points > width - 3) break;
    ++end;
  }
  out.resize(end);
  out += "...";
  return out;
}

std::string rate_text(double value) {
  if (value < 100) return fmt::format("{:.1f}", value);
  const std::string digits = fmt::format("{:.0f}", value);
  std::string out;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) out += ',';
    out += digits[i];
  }
  return out;
}

void Table::add(std::vector<std::string> cells) {
  assert(cells.size() == columns_.size());
  rows_.push_back(std::move(cells));
}

std::string Table::line(const std::vector<std::string>& cells,
                        const std::vector<std::size_t>& widths) const {
  std::string out;
  for (std::size_t c = 0; c < cells.size(); ++c) {
    const std::string gap(widths[c] - utf8_width(cells[c]), ' ');
    if (c > 0) out += "  ";
    if (columns_[c].align == Align::right) out += gap;
    out += cells[c];
    if (columns_[c].align == Align::left) out += gap;
  }
  out.erase(out.find_last_not_of(' ') + 1);
  return out + "\n";
}

std::string Table::text() const {
  std::vector<std::string> names;
  std::vector<std::size_t> widths;
  for (const Column& column : columns_) {
    names.push_back(column.name);
    widths.push_back(utf8_width(column.name));
  }
  for (const auto& row : rows_) {
    for (std::size_t c = 0; c < row.size(); ++c) {
      widths[c] = std::max(widths[c], utf8_width(row[c]));
    }
  }
  std::vector<std::string> rules;
  for (const std::size_t width : widths) rules.emplace_back(width, '-');
  std::string out = line(names, widths) + line(rules, widths);
  for (const auto& row : rows_) out += line(row, widths);
  return out;
}

}  // namespace obliq::tools
