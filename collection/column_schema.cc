// Types are stored as their numbers, names behind their lengths. What was given keeps its order:
// segments have their columns by name.
#include "collection/column_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <stdexcept>

#include "index/columns/check_columns.h"

namespace obliq {
namespace {

std::string names_of(const ColumnSchema& schema) {
  constexpr std::size_t kShown = 20;
  if (schema.empty()) return "it has none";
  std::string names = "it has ";
  for (std::size_t i = 0; i < std::min(kShown, schema.size()); ++i) {
    names += fmt::format("{}'{}'", i == 0 ? "" : ", ", schema[i].name);
  }
  if (schema.size() > kShown) names += fmt::format(" and {} more", schema.size() - kShown);
  return names;
}

std::string type_fault(const ColumnSpec& known, ColumnType type) {
  return fmt::format("column '{}' is of type {}, not {}", known.name, to_string(known.type),
                     to_string(type));
}

}  // namespace

std::string write_collection_schema(const ColumnSchema& schema) {
  std::string bytes(sizeof(std::uint32_t), '\0');
  const auto count = static_cast<std::uint32_t>(schema.size());
  std::memcpy(bytes.data(), &count, sizeof count);
  for (const ColumnSpec& column : schema) {
    bytes += static_cast<char>(column.type);
    bytes += static_cast<char>(column.name.size());
    bytes += column.name;
  }
  return bytes;
}

ColumnSchema read_collection_schema(std::span<const std::byte> bytes) {
  const auto take = [&](std::size_t count) {
    if (bytes.size() < count) throw std::invalid_argument("it ends too early");
    const auto taken = bytes.first(count);
    bytes = bytes.subspan(count);
    return taken;
  };
  std::uint32_t count = 0;
  std::memcpy(&count, take(sizeof count).data(), sizeof count);
  if (count == 0 || count > kMaxColumns) {
    throw std::invalid_argument(fmt::format("{} columns", count));
  }
  ColumnSchema schema;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto head = take(2);
    const auto name = take(std::to_integer<std::size_t>(head[1]));
    schema.push_back({std::string(reinterpret_cast<const char*>(name.data()), name.size()),
                      static_cast<ColumnType>(head[0])});
  }
  if (!bytes.empty()) {
    throw std::invalid_argument(fmt::format("{} bytes behind the last name", bytes.size()));
  }
  check_schema(schema);
  return schema;
}

const ColumnSpec* find_column(const ColumnSchema& schema, std::string_view name) {
  const auto found = std::find_if(schema.begin(), schema.end(),
                                  [&](const ColumnSpec& column) { return column.name == name; });
  return found == schema.end() ? nullptr : &*found;
}

const ColumnSpec& require_column(const ColumnSchema& schema, std::string_view name) {
  const ColumnSpec* known = find_column(schema, name);
  if (known != nullptr) return *known;
  throw std::invalid_argument(fmt::format(
      "the collection has no column '{}', {}: use add_column to add one", name, names_of(schema)));
}

void check_given(const ColumnSchema& schema, std::span<const ColumnValues> columns,
                 std::size_t rows) {
  for (const ColumnValues& column : columns) {
    const ColumnSpec& known = require_column(schema, column.name());
    if (known.type != column.type()) throw std::invalid_argument(type_fault(known, column.type()));
  }
  check_columns(columns, rows);
}

std::string fault_of_columns(const ColumnSchema& schema, const ColumnTable* table) {
  if (table == nullptr) return {};
  for (const StoredColumn& column : table->columns) {
    const ColumnSpec* known = find_column(schema, column.spec.name);
    if (known == nullptr) return fmt::format("it has an unknown column '{}'", column.spec.name);
    if (known->type != column.spec.type) return type_fault(*known, column.spec.type);
  }
  return {};
}

}  // namespace obliq
