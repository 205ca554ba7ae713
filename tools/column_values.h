// Values of columns for people and for programs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "obliq/columns.h"

namespace obliq::tools {

/// null; a number, "Infinity" or "-Infinity" for those that JSON lacks; true or false; a timestamp
/// as "2024-05-31T12:00:00Z", with six digits of a second where there are any; a text; a list of
/// texts; bytes as hexadecimal digits.
nlohmann::ordered_json value_json(const ColumnValues& column, std::size_t row);
/// The same without quotes; NULL is "-".
std::string value_text(const ColumnValues& column, std::size_t row);

/// {"year": [2020, null], ...}, the values of rows [first, first + count).
nlohmann::ordered_json columns_json(const Columns& columns, std::size_t first, std::size_t count);

/// ISO 8601 of microseconds since 1970; beyond the years 1 to 9999 the number.
std::string timestamp_text(std::int64_t microseconds);

/// [{"name": "year", "type": "int64"}, ...]
nlohmann::ordered_json schema_json(const ColumnSchema& schema);

}  // namespace obliq::tools
