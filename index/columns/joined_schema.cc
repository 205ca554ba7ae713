// A map of names remembers the segment that brought each one, for the message.
#include "index/columns/joined_schema.h"

#include <fmt/format.h>

#include <map>
#include <stdexcept>
#include <string_view>

#include "index/columns/check_columns.h"

namespace obliq {

ColumnSchema joined_schema(std::span<const NamedTable> tables) {
  struct Found {
    ColumnType type;
    const NamedTable* in;
  };
  std::map<std::string_view, Found> all;
  for (const NamedTable& named : tables) {
    if (named.table == nullptr) continue;
    for (const StoredColumn& column : named.table->columns) {
      const Found here = {column.spec.type, &named};
      const Found& first = all.emplace(column.spec.name, here).first->second;
      if (first.type == here.type) continue;
      throw std::invalid_argument(
          fmt::format("column '{}' is of type {} in {}, of type {} in {}: encode one of them again",
                      column.spec.name, to_string(first.type), first.in->name, to_string(here.type),
                      named.name));
    }
  }
  ColumnSchema schema;
  for (const auto& [name, found] : all) schema.push_back({std::string(name), found.type});
  check_schema(schema);
  return schema;
}

}  // namespace obliq
