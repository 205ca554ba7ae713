// Columns as a caller fills and reads them: obliq::Columns behind checks of places and rows.
#include "obliq/c/columns.h"

#include <fmt/format.h>

#include <stdexcept>

#include "capi/arguments.h"
#include "capi/guard.h"
#include "capi/handles.h"

namespace obliq::capi {
namespace {

template <typename Handle>  // const or not
auto& column_at(Handle* columns, std::size_t column) {
  auto& all = required(columns, "columns").columns;
  if (column >= all.size()) {
    throw std::invalid_argument(
        fmt::format("there is no column {}: there are {}", column, all.size()));
  }
  return all[column];
}

const ColumnValues* find(const obliq_columns* columns, std::size_t column) {
  if (columns == nullptr || column >= columns->columns.size()) return nullptr;
  return &columns->columns[column];
}

void require_rows(const ColumnValues& column, std::size_t first, std::size_t n) {
  if (first <= column.size() && n <= column.size() - first) return;
  throw std::invalid_argument(fmt::format("column '{}' has {} rows, and not the {} from {} on",
                                          column.name(), column.size(), n, first));
}

bool holds_integers(ColumnType type) {
  return type == ColumnType::int64 || type == ColumnType::boolean || type == ColumnType::timestamp;
}

void require_type(const ColumnValues& column, bool fits, std::string_view call) {
  if (fits) return;
  throw std::invalid_argument(fmt::format("column '{}' is of {}, which {} is not for",
                                          column.name(), to_string(column.type()), call));
}

template <typename T>
void append(ColumnValues& column, const T* values, const std::uint8_t* valid, std::size_t n) {
  require_buffer(values, n, sizeof(T), "values");
  for (std::size_t i = 0; i < n; ++i) {
    if (valid != nullptr && valid[i] == 0) {
      column.add_null();
    } else {
      column.add(values[i]);
    }
  }
}

template <typename T, typename Value>
void copy_rows(const ColumnValues& column, std::size_t first, std::size_t n, T* values,
               std::uint8_t* valid, const Value& value) {
  require_rows(column, first, n);
  require_buffer(values, n, sizeof(T), "values");
  for (std::size_t i = 0; i < n; ++i) {
    const bool is_null = column.is_null(first + i);
    values[i] = is_null ? T{0} : value(first + i);
    if (valid != nullptr) valid[i] = is_null ? 0 : 1;
  }
}

}  // namespace
}  // namespace obliq::capi

using obliq::ColumnType;
using obliq::capi::column_at;
using obliq::capi::guard;
using obliq::capi::required;

obliq_status obliq_columns_create(obliq_columns** out) {
  return guard([&] {
    required(out, "out");
    obliq::capi::give(out, obliq::Columns());
  });
}

void obliq_columns_free(obliq_columns* columns) { obliq::capi::take_back(columns); }

obliq_status obliq_columns_add(obliq_columns* columns, const char* name, obliq_column_type type) {
  return guard([&] {
    auto& all = required(columns, "columns").columns;
    const std::string_view text = obliq::capi::text_of(name, "name");
    obliq::capi::require_enum(type, OBLIQ_INT64, OBLIQ_BYTES, "type");
    for (const auto& column : all) {
      if (column.name() != text) continue;
      throw std::invalid_argument(fmt::format("there is a column '{}' already", text));
    }
    all.emplace_back(obliq::ColumnSpec{std::string(text), static_cast<ColumnType>(type)});
  });
}

obliq_status obliq_columns_append_int64(obliq_columns* columns, size_t column,
                                        const int64_t* values, const uint8_t* valid, size_t n) {
  return guard([&] { obliq::capi::append(column_at(columns, column), values, valid, n); });
}

obliq_status obliq_columns_append_double(obliq_columns* columns, size_t column,
                                         const double* values, const uint8_t* valid, size_t n) {
  return guard([&] { obliq::capi::append(column_at(columns, column), values, valid, n); });
}

obliq_status obliq_columns_append_text(obliq_columns* columns, size_t column,
                                       const char* const* texts, const size_t* sizes, size_t n) {
  return guard([&] {
    auto& to = column_at(columns, column);
    obliq::capi::require_buffer(static_cast<const void*>(texts), n, sizeof(char*), "texts");
    for (std::size_t i = 0; i < n; ++i) {
      if (texts[i] == nullptr) {
        to.add_null();
      } else if (sizes == nullptr) {
        to.add(std::string_view(texts[i]));
      } else {
        obliq::capi::require_buffer(texts[i], sizes[i], 1, "texts");
        to.add(std::string_view(texts[i], sizes[i]));
      }
    }
  });
}

obliq_status obliq_columns_append_keywords(obliq_columns* columns, size_t column,
                                           const char* const* texts, const size_t* sizes,
                                           size_t count) {
  return guard([&] {
    auto& to = column_at(columns, column);
    to.add(std::span<const std::string_view>(obliq::capi::texts_of(texts, sizes, count, "texts")));
  });
}

obliq_status obliq_columns_append_null(obliq_columns* columns, size_t column, size_t n) {
  return guard([&] {
    auto& to = column_at(columns, column);
    obliq::capi::area_of(n, sizeof(double), "rows");
    for (std::size_t i = 0; i < n; ++i) to.add_null();
  });
}

size_t obliq_columns_count(const obliq_columns* columns) {
  return columns == nullptr ? 0 : columns->columns.size();
}

obliq_status obliq_columns_find(const obliq_columns* columns, const char* name, size_t* column) {
  return guard([&] {
    const auto& all = required(columns, "columns").columns;
    const std::string_view text = obliq::capi::text_of(name, "name");
    required(column, "column");
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (all[i].name() != text) continue;
      *column = i;
      return;
    }
    throw obliq::capi::StatusError(OBLIQ_NOT_FOUND, fmt::format("there is no column '{}'", text));
  });
}

const char* obliq_columns_name(const obliq_columns* columns, size_t column) {
  const auto* found = obliq::capi::find(columns, column);
  return found == nullptr ? nullptr : found->name().c_str();
}

obliq_column_type obliq_columns_type(const obliq_columns* columns, size_t column) {
  const auto* found = obliq::capi::find(columns, column);
  return found == nullptr ? -1 : static_cast<obliq_column_type>(found->type());
}

size_t obliq_columns_rows(const obliq_columns* columns, size_t column) {
  const auto* found = obliq::capi::find(columns, column);
  return found == nullptr ? 0 : found->size();
}

obliq_status obliq_columns_get_int64(const obliq_columns* columns, size_t column, size_t first,
                                     size_t n, int64_t* values, uint8_t* valid) {
  return guard([&] {
    const auto& from = column_at(columns, column);
    obliq::capi::require_type(from, obliq::capi::holds_integers(from.type()), "get_int64");
    obliq::capi::copy_rows(from, first, n, values, valid,
                           [&](std::size_t row) { return from.integer(row); });
  });
}

obliq_status obliq_columns_get_double(const obliq_columns* columns, size_t column, size_t first,
                                      size_t n, double* values, uint8_t* valid) {
  return guard([&] {
    const auto& from = column_at(columns, column);
    obliq::capi::require_type(from, from.type() == ColumnType::float64, "get_double");
    obliq::capi::copy_rows(from, first, n, values, valid,
                           [&](std::size_t row) { return from.number(row); });
  });
}

obliq_status obliq_columns_get_text(const obliq_columns* columns, size_t column, size_t row,
                                    const char** text, size_t* size) {
  return guard([&] {
    const auto& from = column_at(columns, column);
    const bool fits = from.type() == ColumnType::keyword || from.type() == ColumnType::bytes;
    obliq::capi::require_type(from, fits, "get_text");
    obliq::capi::require_rows(from, row, 1);
    const std::string_view found = from.is_null(row) ? std::string_view() : from.text(row);
    required(text, "text") = from.is_null(row) ? nullptr : found.data();
    required(size, "size") = found.size();
  });
}

obliq_status obliq_columns_get_keywords(const obliq_columns* columns, size_t column, size_t row,
                                        const char** texts, size_t* sizes, size_t capacity,
                                        size_t* count, uint8_t* valid) {
  return guard([&] {
    const auto& from = column_at(columns, column);
    obliq::capi::require_type(from, from.type() == ColumnType::keywords, "get_keywords");
    obliq::capi::require_rows(from, row, 1);
    const auto found = from.texts(row);
    required(count, "count") = found.size();
    if (valid != nullptr) *valid = from.is_null(row) ? 0 : 1;
    if (texts == nullptr && sizes == nullptr) return;
    obliq::capi::require_capacity(found.size(), capacity, "texts");
    for (std::size_t i = 0; i < found.size(); ++i) {
      required(texts, "texts");
      required(sizes, "sizes");
      texts[i] = found[i].data();
      sizes[i] = found[i].size();
    }
  });
}
