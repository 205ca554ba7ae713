#include "tools/typed_column.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>
#include <string_view>
#include <variant>
#include <vector>

#include "index/filter/timestamp.h"
#include "tools/table.h"

namespace obliq::tools {
namespace {

constexpr std::size_t kShownWidth = 40;
constexpr std::int64_t kWholeDoubles = std::int64_t{1} << 53;  // to here each one is a double

template <typename Number>
std::optional<Number> number_of(std::string_view text) {
  Number number = 0;
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, number);
  if (result.ec != std::errc() || result.ptr != end) return std::nullopt;
  return number;
}

std::optional<bool> truth_of(std::string_view text) {
  for (const std::string_view yes : {"true", "True", "TRUE"}) {
    if (text == yes) return true;
  }
  for (const std::string_view no : {"false", "False", "FALSE"}) {
    if (text == no) return false;
  }
  return std::nullopt;
}

std::string_view without_blanks(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") + 1 - first);
}

/// Whether a text of digits would be another text as a number: 007, 18446744073709551616.
bool is_name(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  const bool digits =
      std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  return (text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9') ||
         (digits && !number_of<std::int64_t>(text));
}

bool is_text_of(ColumnType type, std::string_view text) {
  switch (type) {
    case ColumnType::boolean:
      return truth_of(text).has_value();
    case ColumnType::int64:
      return number_of<std::int64_t>(text) && !is_name(text);
    case ColumnType::float64:
      return number_of<double>(text) && !is_name(text);
    case ColumnType::timestamp:
      return parse_timestamp(text).has_value();
    default:
      return true;
  }
}

std::vector<std::string_view> split_texts(std::string_view text, std::string_view separator) {
  std::vector<std::string_view> parts;
  if (text.empty()) return parts;
  for (std::size_t at = 0; at != std::string_view::npos;) {
    at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at != std::string_view::npos) text.remove_prefix(at + separator.size());
  }
  return parts;
}

/// Adds the value where the text is one of the type; false where it is not.
bool add_text_value(ColumnValues& column, std::string_view text, const ColumnRules& rules) {
  const auto add = [&](const auto& value) {
    if (value) column.add(*value);
    return value.has_value();
  };
  switch (column.type()) {
    case ColumnType::int64:
      return add(number_of<std::int64_t>(without_blanks(text)));
    case ColumnType::float64:
      return add(number_of<double>(without_blanks(text)));
    case ColumnType::boolean: {
      const auto truth = truth_of(without_blanks(text));
      return add(truth ? std::optional(std::int64_t{*truth}) : std::nullopt);
    }
    case ColumnType::timestamp:
      return add(parse_timestamp(without_blanks(text)));
    case ColumnType::keywords:
      column.add(split_texts(text, rules.separator));
      return true;
    case ColumnType::keyword:
    case ColumnType::bytes:
      column.add(text);
      return true;
  }
  return false;
}

bool has_texts(ColumnType type) {
  return type == ColumnType::keyword || type == ColumnType::keywords || type == ColumnType::bytes;
}

[[noreturn]] void refuse_value(const ColumnValues& column, std::string_view value) {
  throw std::invalid_argument(fmt::format(
      "column '{}', row {}: '{}' is no {}; where it is a text give --column-types {}=keyword",
      column.name(), column.size(), shorten(value, kShownWidth), to_string(column.type()),
      column.name()));
}

/// Names the file in what a column refuses.
template <typename Fill>
ColumnValues filled(const std::string& path, ColumnSpec spec, Fill fill) {
  ColumnValues column(std::move(spec));
  try {
    fill(column);
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument(fmt::format("{}: {}", path, error.what()));
  }
  return column;
}

void add_value(ColumnValues& column, std::int64_t value, const ColumnRules&) {
  if (column.type() != ColumnType::float64) return column.add(value);
  if (value < -kWholeDoubles || value > kWholeDoubles) refuse_value(column, std::to_string(value));
  column.add(static_cast<double>(value));
}

void add_value(ColumnValues& column, double value, const ColumnRules&) { column.add(value); }

void add_value(ColumnValues& column, bool value, const ColumnRules&) {
  column.add(std::int64_t{value});
}

void add_value(ColumnValues& column, const std::string& value, const ColumnRules& rules) {
  if (value.empty() && !has_texts(column.type())) return column.add_null();
  if (!add_text_value(column, value, rules)) refuse_value(column, value);
}

}  // namespace

ColumnType type_of_texts(const datasets::CsvColumn& column) {
  constexpr std::array kTried = {ColumnType::boolean, ColumnType::int64, ColumnType::float64,
                                 ColumnType::timestamp};
  std::size_t tried = 0;
  bool is_any = false;
  for (std::size_t row = 0; row < column.rows() && tried < kTried.size();) {
    const auto field = column.field(row);
    if (!field || field->empty()) {
      ++row;
      continue;
    }
    is_any = true;
    if (is_text_of(kTried[tried], without_blanks(*field))) {
      ++row;
    } else {
      ++tried;
      row = 0;
    }
  }
  return is_any && tried < kTried.size() ? kTried[tried] : ColumnType::keyword;
}

ColumnValues column_of_texts(const std::string& path, const datasets::CsvColumn& column,
                             ColumnType type, const ColumnRules& rules) {
  return filled(path, {column.name(), type}, [&](ColumnValues& values) {
    for (std::size_t row = 0; row < column.rows(); ++row) {
      const auto field = column.field(row);
      if (!field || (field->empty() && !has_texts(type))) {
        values.add_null();
      } else if (!add_text_value(values, *field, rules)) {
        refuse_value(values, *field);
      }
    }
  });
}

ColumnValues column_of_array(const std::string& path, const std::string& name,
                             const datasets::ValueArray& array, std::optional<ColumnType> type,
                             const ColumnRules& rules) {
  constexpr std::array kOwn = {ColumnType::int64, ColumnType::float64, ColumnType::boolean,
                               ColumnType::keyword};  // in the order of ValueArray
  return filled(path, {name, type.value_or(kOwn[array.index()])}, [&](ColumnValues& values) {
    std::visit(
        [&](const auto& all) {
          using Value = typename std::decay_t<decltype(all)>::value_type;
          for (const Value& value : all) add_value(values, value, rules);
        },
        array);
  });
}

}  // namespace obliq::tools
