// What holds for the columns that callers give.
#pragma once

#include <cstddef>
#include <span>

#include "obliq/columns.h"

namespace obliq {

inline constexpr std::size_t kMaxColumns = 1000;
inline constexpr std::size_t kMaxColumnName = 255;
inline constexpr std::size_t kMaxKeywordBytes = 65535;
inline constexpr std::size_t kMaxKeywords = 65535;  ///< in a set
inline constexpr std::size_t kMaxBytesValue = std::size_t{16} << 20;

/// Throws std::invalid_argument on more than kMaxColumns, on a name that is none or comes twice,
/// and on an unknown type.
void check_schema(const ColumnSchema& schema);
/// The same, and where a column has not `rows` values.
void check_columns(std::span<const ColumnValues> columns, std::size_t rows);

/// Whether it may name a column.
bool is_column_name(std::string_view name);

}  // namespace obliq
