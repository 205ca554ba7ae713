// The flags that give vectors their columns, and the files behind them: tables of text (CSV), each
// with any number of columns, and arrays of one column.
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <string>
#include <vector>

#include "obliq/columns.h"
#include "obliq/progress.h"
#include "tools/typed_column.h"

namespace obliq::tools {

class ColumnFlags {
 public:
  void add_flags(CLI::App& app);

  bool is_given() const { return !tables_.empty() || !arrays_.empty(); }
  /// The files that are read.
  std::vector<std::string> files() const;

  /// All columns, each of the type that --column-types says or, without it, that of `known`, of a
  /// collection; else as its values are. Throws std::invalid_argument where a name comes twice,
  /// types are told of columns that there are not, or a value is none of its type.
  Columns read(const ColumnSchema& known = {}, const Progress& progress = {}) const;
  /// The same of `rows` vectors of the file `vectors`. Throws std::invalid_argument for another
  /// number of values.
  Columns read_of(const std::string& vectors, std::size_t rows, const ColumnSchema& known = {},
                  const Progress& progress = {}) const;

 private:
  struct Types;

  Types types_over(const ColumnSchema& known) const;
  void read_table(const std::string& path, Types& types, Columns& columns,
                  const Progress& progress) const;

  std::vector<std::string> tables_;
  std::vector<std::string> arrays_;  // NAME=FILE
  std::vector<std::string> types_;   // NAME=TYPE
  ColumnRules rules_;
};

/// Rows [first, first + count) of each.
Columns slice_columns(const Columns& columns, std::size_t first, std::size_t count);
ColumnSchema schema_of_columns(const Columns& columns);
/// "year int64, lang keyword"; "none".
std::string schema_text(const ColumnSchema& schema);

/// NAME=TYPE. Throws std::invalid_argument naming the flag.
ColumnSpec parse_column_spec(const std::string& flag, const std::string& text);

}  // namespace obliq::tools
