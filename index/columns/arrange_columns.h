// Puts the values of columns that callers give into the form in which a segment stores them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "index/columns/column_table.h"
#include "obliq/columns.h"

namespace obliq {

/// Row i of the table gets value first + order[i] of each column. `list_ends`: of each list record
/// where its rows end. Null where there are no columns. Throws std::invalid_argument where sets of
/// keywords have 2^32 texts or more together. Memory: the table, and of a column of texts 16 bytes
/// per row and 40 per different text. Requires what check_columns checks.
std::shared_ptr<const ColumnTable> arrange_columns(std::span<const ColumnValues> columns,
                                                   std::size_t first,
                                                   std::span<const std::uint32_t> order,
                                                   std::span<const std::uint32_t> list_ends);

/// Bytes of memory that a row takes meanwhile, on average; 0 without columns.
std::size_t arranging_bytes(std::span<const ColumnValues> columns);

}  // namespace obliq
