// The columns that a collection has: in its manifest, and what callers and segments must keep to.
//
//     section `schema`    uint32 columns, then of each uint8 type, uint8 bytes of its name, the
//                         name; in the order in which they were given
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "index/columns/column_table.h"
#include "obliq/columns.h"

namespace obliq {

/// The bytes of the section.
std::string write_collection_schema(const ColumnSchema& schema);
/// Throws std::invalid_argument telling what is wrong with them.
ColumnSchema read_collection_schema(std::span<const std::byte> bytes);

/// Null where there is none of the name.
const ColumnSpec* find_column(const ColumnSchema& schema, std::string_view name);
/// Throws std::invalid_argument naming the column, and those that there are.
const ColumnSpec& require_column(const ColumnSchema& schema, std::string_view name);
/// Of columns that a caller gives with `rows` vectors. Throws std::invalid_argument naming the
/// column where it is not of the schema, comes twice or has another number of values.
void check_given(const ColumnSchema& schema, std::span<const ColumnValues> columns,
                 std::size_t rows);
/// What a segment of the collection may not have; empty: it may have its columns.
std::string fault_of_columns(const ColumnSchema& schema, const ColumnTable* table);

}  // namespace obliq
