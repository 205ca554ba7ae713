// Values of columns in random operations, as a model keeps them: some columns are there from the
// start, one is added later.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/random.h"
#include "obliq/columns.h"

namespace obliq::testing {

inline ColumnSchema model_schema() {
  return {{"number", ColumnType::int64}, {"word", ColumnType::keyword}};
}
inline ColumnSpec model_later() { return {"later", ColumnType::float64}; }

/// Of one vector; none: NULL.
struct ModelValues {
  std::optional<std::int64_t> number;
  std::optional<std::string> word;
  std::optional<double> later;

  bool operator==(const ModelValues&) const = default;
};

/// Sets those that the columns have in that row.
inline void set_values(const Columns& columns, std::size_t row, ModelValues& values) {
  for (const ColumnValues& column : columns) {
    const bool is_null = column.is_null(row);
    if (column.name() == "number") {
      values.number = is_null ? std::nullopt : std::optional(column.integer(row));
    } else if (column.name() == "word") {
      values.word = is_null ? std::nullopt : std::optional(std::string(column.text(row)));
    } else {
      values.later = is_null ? std::nullopt : std::optional(column.number(row));
    }
  }
}

/// Values of some columns, at least `least` of them, for n vectors.
inline Columns draw_columns(Random& random, std::size_t n, bool has_later, std::size_t least) {
  ColumnSchema schema = model_schema();
  if (has_later) schema.push_back(model_later());
  while (schema.size() > least && random.below(3) == 0) {
    schema.erase(schema.begin() + static_cast<std::ptrdiff_t>(random.below(schema.size())));
  }
  Columns columns;
  for (const ColumnSpec& spec : schema) {
    ColumnValues column(spec);
    for (std::size_t i = 0; i < n; ++i) {
      if (random.below(5) == 0) {
        column.add_null();
      } else if (spec.type == ColumnType::int64) {
        column.add(static_cast<std::int64_t>(random.below(1000)));
      } else if (spec.type == ColumnType::keyword) {
        column.add("word " + std::to_string(random.below(40)));
      } else {
        column.add(random.gaussian());
      }
    }
    columns.push_back(column);
  }
  return columns;
}

}  // namespace obliq::testing
