#include "tools/column_flags.h"

#include <fmt/core.h>

#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "datasets/csv.h"
#include "datasets/dataset.h"
#include "datasets/value_array.h"
#include "tools/flags.h"

namespace obliq::tools {
namespace {

constexpr std::string_view kLeftOut = "skip";

/// The two sides of NAME=VALUE, in which the value may hold a = too.
std::pair<std::string, std::string> sides_of(const std::string& flag, const std::string& text) {
  const std::size_t at = text.find('=');
  if (at != std::string::npos && at > 0 && at + 1 < text.size()) {
    return {text.substr(0, at), text.substr(at + 1)};
  }
  throw std::invalid_argument(fmt::format("{} must be NAME={}, not '{}'", flag,
                                          flag == "--column" ? "FILE" : "TYPE", text));
}

void refuse_parquet(const std::string& path) {
  if (!path.ends_with(".parquet") && !path.ends_with(".pq")) return;
  throw std::invalid_argument(fmt::format(
      "{}: Parquet is not read; write a CSV of it with pyarrow and give that: python3 -c \"import "
      "pyarrow.csv as c, pyarrow.parquet as p; c.write_csv(p.read_table('{}'), 'columns.csv')\"",
      path, path));
}

void refuse_other_formats(const std::string& path) {
  refuse_parquet(path);
  if (!datasets::names_vectors(path)) return;
  throw std::invalid_argument(
      fmt::format("{} is no table of text: give it as --column NAME={}", path, path));
}

void check_names_differ(const Columns& columns) {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (columns[i].name() != columns[j].name()) continue;
      throw std::invalid_argument(
          fmt::format("two files have a column '{}': leave one out", columns[i].name()));
    }
  }
}

}  // namespace

/// The types that are told, and which of them were asked for.
struct ColumnFlags::Types {
  const ColumnSchema& known;
  std::map<std::string, std::string, std::less<>> told;  // names of types, or kLeftOut
  std::map<std::string, bool, std::less<>> used = {};

  bool leaves_out(const std::string& name) {
    const auto at = told.find(name);
    if (at == told.end() || at->second != kLeftOut) return false;
    used[name] = true;
    return true;
  }
  std::optional<ColumnType> of(const std::string& name) {
    const auto at = told.find(name);
    if (at != told.end()) {
      used[name] = true;
      return parse_column_type(at->second);
    }
    for (const ColumnSpec& spec : known) {
      if (spec.name == name) return spec.type;
    }
    return std::nullopt;
  }
  void check_all_used() const {
    for (const auto& [name, type] : told) {
      if (used.contains(name)) continue;
      throw std::invalid_argument(
          fmt::format("--column-types {}={}: no file has such a column", name, type));
    }
  }
};

void ColumnFlags::add_flags(CLI::App& app) {
  // One name each time, as of segments.
  app.add_option("--columns", tables_,
                 "Table of the attributes of the vectors: CSV, whose first line names the columns, "
                 "a line per vector; an empty field is NULL. May be given again")
      ->allow_extra_args(false)
      ->check(file_name());
  app.add_option("--column", arrays_,
                 "NAME=FILE, a column from an .npy of one axis or an HDF5 dataset (FILE:DATASET, "
                 "default NAME). May be given again")
      ->allow_extra_args(false);
  app.add_option(
         "--column-types", types_,
         "NAME=TYPE, with commas: int64, double, bool, timestamp, keyword, keywords, bytes; "
         "skip leaves a column out. Default: that of the collection, else as the values "
         "are")
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_option("--keywords-separator", rules_.separator,
                 "What stands between the texts of a keywords column")
      ->capture_default_str();
}

std::vector<std::string> ColumnFlags::files() const {
  std::vector<std::string> files = tables_;
  for (const std::string& array : arrays_) files.push_back(array.substr(array.find('=') + 1));
  return files;
}

ColumnFlags::Types ColumnFlags::types_over(const ColumnSchema& known) const {
  Types types{known, {}};
  for (const std::string& text : types_) {
    const auto [name, type] = sides_of("--column-types", text);
    if (type != kLeftOut) (void)parse_column_type(type);
    if (!types.told.emplace(name, type).second) {
      throw std::invalid_argument(fmt::format("--column-types tells '{}' twice", name));
    }
  }
  return types;
}

void ColumnFlags::read_table(const std::string& path, Types& types, Columns& columns,
                             const Progress& progress) const {
  refuse_other_formats(path);
  const datasets::CsvTable table = datasets::read_csv(path, progress);
  for (const datasets::CsvColumn& column : table.columns) {
    if (types.leaves_out(column.name())) continue;
    const auto type = types.of(column.name());
    columns.push_back(column_of_texts(path, column, type ? *type : type_of_texts(column), rules_));
  }
}

Columns ColumnFlags::read(const ColumnSchema& known, const Progress& progress) const {
  if (rules_.separator.empty()) {
    throw std::invalid_argument("--keywords-separator is empty: name what stands between texts");
  }
  Types types = types_over(known);
  Columns columns;
  for (const std::string& path : tables_) read_table(path, types, columns, progress);
  for (const std::string& array : arrays_) {
    const auto [name, file] = sides_of("--column", array);
    refuse_parquet(file);
    columns.push_back(column_of_array(file, name, datasets::read_value_array(file, name),
                                      types.of(name), rules_));
  }
  types.check_all_used();
  check_names_differ(columns);
  return columns;
}

Columns ColumnFlags::read_of(const std::string& vectors, std::size_t rows,
                             const ColumnSchema& known, const Progress& progress) const {
  Columns columns = read(known, progress);
  for (const ColumnValues& column : columns) {
    if (column.size() == rows) continue;
    throw std::invalid_argument(
        fmt::format("column '{}' has {} values, {} holds {} vectors: give one per vector",
                    column.name(), column.size(), vectors, rows));
  }
  return columns;
}

Columns slice_columns(const Columns& columns, std::size_t first, std::size_t count) {
  Columns slices;
  for (const ColumnValues& column : columns) slices.push_back(column.slice(first, count));
  return slices;
}

ColumnSchema schema_of_columns(const Columns& columns) {
  ColumnSchema schema;
  for (const ColumnValues& column : columns) schema.push_back(column.spec());
  return schema;
}

std::string schema_text(const ColumnSchema& schema) {
  std::string text;
  for (const ColumnSpec& spec : schema) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", spec.name, to_string(spec.type));
  }
  return text.empty() ? "none" : text;
}

ColumnSpec parse_column_spec(const std::string& flag, const std::string& text) {
  const auto [name, type] = sides_of(flag, text);
  return {name, parse_column_type(type)};
}

}  // namespace obliq::tools
