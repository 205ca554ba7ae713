// A value goes back through ColumnValues, which checks it: what a damaged file says is no value of
// the type is told as damage.
#include "index/columns/column_table.h"

#include <fmt/format.h>

#include <stdexcept>
#include <vector>

namespace obliq {
namespace {

void add_value(const StoredColumn& column, std::uint32_t row, ColumnValues& out) {
  switch (column.spec.type) {
    case ColumnType::int64:
    case ColumnType::timestamp:
      out.add(column.integers[row]);
      return;
    case ColumnType::float64:
      out.add(column.doubles[row]);
      return;
    case ColumnType::boolean:
      out.add(static_cast<std::int64_t>(column.bits[row / 64] >> row % 64 & 1));
      return;
    case ColumnType::keyword:
      out.add(column.text_at(column.code_at(row)));
      return;
    case ColumnType::keywords: {
      std::vector<std::string_view> texts;
      const std::uint32_t end = column.end_code(row);
      for (std::uint32_t i = column.first_code(row); i < end; ++i) {
        texts.push_back(column.text_at(column.code_at(i)));
      }
      out.add(texts);
      return;
    }
    case ColumnType::bytes:
      out.add(column.text_at(row));
      return;
  }
}

}  // namespace

void add_stored(const StoredColumn* column, std::uint32_t row, ColumnValues& out) {
  if (column == nullptr || column->is_null(row)) {
    out.add_null();
    return;
  }
  if (column->spec.type != out.type()) {
    throw std::invalid_argument(fmt::format("column '{}' is of type {}, not {}", column->spec.name,
                                            to_string(column->spec.type), to_string(out.type())));
  }
  try {
    add_value(*column, row, out);
  } catch (const std::invalid_argument& error) {
    throw std::runtime_error(
        fmt::format("the value of stored row {} is none ({}): the file is damaged, open it with "
                    "verify to find the place",
                    row, error.what()));
  }
}

}  // namespace obliq
