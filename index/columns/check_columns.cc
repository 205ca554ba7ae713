// Names go into messages, expressions and files, so control characters have no place in them.
#include "index/columns/check_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <unordered_set>

#include "core/utf8.h"

namespace obliq {
namespace {

// C0, DEL, and C1, which UTF-8 writes as 0xC2 0x80 to 0xC2 0x9F.
bool has_control_characters(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c == 0x7F) return true;
    const bool is_c1 =
        c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (is_c1) return true;
  }
  return false;
}

}  // namespace

bool is_column_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxColumnName && is_utf8(name) &&
         !has_control_characters(name);
}

void check_schema(const ColumnSchema& schema) {
  if (schema.size() > kMaxColumns) {
    throw std::invalid_argument(
        fmt::format("{} columns, the most are {}: leave some out", schema.size(), kMaxColumns));
  }
  std::unordered_set<std::string_view> names;
  for (std::size_t i = 0; i < schema.size(); ++i) {
    (void)to_string(schema[i].type);
    if (!is_column_name(schema[i].name)) {
      throw std::invalid_argument(
          fmt::format("column {} has a name of {} bytes: give it 1 to {} bytes of UTF-8 without "
                      "control characters",
                      i, schema[i].name.size(), kMaxColumnName));
    }
    if (names.insert(schema[i].name).second) continue;
    throw std::invalid_argument(
        fmt::format("two columns are called '{}': give each a name of its own", schema[i].name));
  }
}

void check_columns(std::span<const ColumnValues> columns, std::size_t rows) {
  ColumnSchema schema;
  for (const ColumnValues& column : columns) schema.push_back(column.spec());
  check_schema(schema);
  for (const ColumnValues& column : columns) {
    if (column.size() == rows) continue;
    throw std::invalid_argument(
        fmt::format("column '{}' has {} values for {} vectors: give each vector one, or NULL",
                    column.name(), column.size(), rows));
  }
}

}  // namespace obliq
