#include "tools/column_values.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <cmath>

namespace obliq::tools {

std::string timestamp_text(std::int64_t microseconds) {
  using std::chrono::floor;
  constexpr std::int64_t kYear1 = -62135596800000000;
  constexpr std::int64_t kYear10000 = 253402300800000000;
  if (microseconds < kYear1 || microseconds >= kYear10000) return std::to_string(microseconds);
  const std::chrono::sys_time<std::chrono::microseconds> time{
      std::chrono::microseconds(microseconds)};
  const auto midnight = floor<std::chrono::days>(time);
  const std::chrono::year_month_day day(midnight);
  const std::chrono::hh_mm_ss clock(time - midnight);
  const int year = static_cast<int>(day.year());
  const auto rest = clock.subseconds().count();
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}Z", year,
                     static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     rest == 0 ? "" : fmt::format(".{:06}", rest));
}

nlohmann::ordered_json value_json(const ColumnValues& column, std::size_t row) {
  if (column.is_null(row)) return nullptr;
  switch (column.type()) {
    case ColumnType::int64:
      return column.integer(row);
    case ColumnType::float64: {
      const double number = column.number(row);
      if (std::isfinite(number)) return number;
      return number > 0 ? "Infinity" : "-Infinity";
    }
    case ColumnType::boolean:
      return column.integer(row) != 0;
    case ColumnType::timestamp:
      return timestamp_text(column.integer(row));
    case ColumnType::keyword:
      return std::string(column.text(row));
    case ColumnType::keywords: {
      nlohmann::ordered_json texts = nlohmann::ordered_json::array();
      for (const auto text : column.texts(row)) texts.push_back(std::string(text));
      return texts;
    }
    case ColumnType::bytes: {
      std::string digits;
      for (const char byte : column.text(row)) {
        digits += fmt::format("{:02x}", static_cast<unsigned char>(byte));
      }
      return digits;
    }
  }
  return nullptr;
}

std::string value_text(const ColumnValues& column, std::size_t row) {
  if (column.is_null(row)) return "-";
  if (column.type() == ColumnType::keywords) {
    return fmt::format("{}", fmt::join(column.texts(row), ", "));
  }
  const nlohmann::ordered_json json = value_json(column, row);
  return json.is_string() ? json.get<std::string>() : json.dump();
}

nlohmann::ordered_json columns_json(const Columns& columns, std::size_t first, std::size_t count) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const ColumnValues& column : columns) {
    nlohmann::ordered_json values = nlohmann::ordered_json::array();
    for (std::size_t row = first; row < first + count; ++row) {
      values.push_back(value_json(column, row));
    }
    json[column.name()] = std::move(values);
  }
  return json;
}

nlohmann::ordered_json schema_json(const ColumnSchema& schema) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const ColumnSpec& spec : schema) {
    json.push_back({{"name", spec.name}, {"type", to_string(spec.type)}});
  }
  return json;
}

}  // namespace obliq::tools
