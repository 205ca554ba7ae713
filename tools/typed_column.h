// Values of files as values of columns: texts of a table, whose type is told or found in them, and
// arrays, which have one.
//
//     bool        true or false, also True and TRUE
//     int64       digits, a minus before them
//     double      a number
//     timestamp   ISO 8601 (index/filter/timestamp.h)
//     keywords    texts with a separator between them
//
// The type of a table's column is the first of bool, int64, double and timestamp of which all its
// texts are, else keyword. Digits behind a zero and whole numbers that int64 does not hold are
// names, not numbers. An empty field is NULL; "" is an empty text, where there are texts, else
// NULL.
#pragma once

#include <optional>
#include <string>

#include "datasets/csv.h"
#include "datasets/value_array.h"
#include "obliq/columns.h"

namespace obliq::tools {

/// How files are read.
struct ColumnRules {
  std::string separator = "|";  ///< between the texts of keywords, not empty
};

ColumnType type_of_texts(const datasets::CsvColumn& column);

/// Throws std::invalid_argument naming the file, the column, the row and the value that is not of
/// the type.
ColumnValues column_of_texts(const std::string& path, const datasets::CsvColumn& column,
                             ColumnType type, const ColumnRules& rules);

/// The column `name` of an array of the file `path`: without a type int64, double, bool or keyword,
/// as its values are. Integers may also be double, timestamp (microseconds since 1970) or, of 0 and
/// 1, bool; texts anything. Throws as above.
ColumnValues column_of_array(const std::string& path, const std::string& name,
                             const datasets::ValueArray& array, std::optional<ColumnType> type,
                             const ColumnRules& rules);

}  // namespace obliq::tools
