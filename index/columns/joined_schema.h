// The columns of several segments together.
#pragma once

#include <span>
#include <string>

#include "index/columns/column_table.h"

namespace obliq {

/// The columns of a segment, null where it has none, and what the segment is called in messages.
struct NamedTable {
  const ColumnTable* table = nullptr;
  std::string name;
};

/// All columns that one of them has, by name. Throws std::invalid_argument naming both segments
/// where two have columns of one name and of different types, or where there are more columns than
/// a schema may have.
ColumnSchema joined_schema(std::span<const NamedTable> tables);

}  // namespace obliq
