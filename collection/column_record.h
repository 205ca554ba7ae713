// The values of columns in the record of a log. Of each column:
//
//     u8 type | u8 bytes of the name | u8 1: some are NULL | 5 zeros | u64 bytes of the values |
//     name values     a bit each, where some are NULL: 1 where it is not, the lowest of byte 0
//     first
//                int64, timestamp, double: 8 bytes each, 0 for NULL; bool: a bit each
//                keyword, bytes: the length of each, uint32, 0 for NULL; the texts
//                keywords: the number of texts of each, uint32, 0 for NULL; their lengths, uint32;
//                the texts, rising in a set
//
// in the order of the vectors of the record, with u32 columns before the first.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "obliq/columns.h"

namespace obliq {

/// The bytes of columns.
std::string write_column_values(std::span<const ColumnValues> columns);

/// Reads the columns of `rows` vectors of a collection with this schema. Compares sizes with the
/// bytes present before it allocates anything. Throws std::runtime_error telling what is wrong:
/// whatever write_column_values would not have written of columns that check_given lets pass.
Columns read_column_values(std::span<const std::byte> bytes, std::size_t rows,
                           const ColumnSchema& schema);

}  // namespace obliq
