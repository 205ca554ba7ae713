// Values are appended to one array a column; texts lie one after the other, and their ends tell
// them apart. Whether a row is null is only stored once a row is.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

#include "core/utf8.h"
#include "index/columns/check_columns.h"
#include "obliq/columns.h"

namespace obliq {
namespace {

constexpr std::array kTypeNames = {
    std::pair{ColumnType::int64, "int64"},     std::pair{ColumnType::float64, "double"},
    std::pair{ColumnType::boolean, "bool"},    std::pair{ColumnType::timestamp, "timestamp"},
    std::pair{ColumnType::keyword, "keyword"}, std::pair{ColumnType::keywords, "keywords"},
    std::pair{ColumnType::bytes, "bytes"},
};

bool is_integer(ColumnType type) {
  return type == ColumnType::int64 || type == ColumnType::boolean || type == ColumnType::timestamp;
}

}  // namespace

std::string to_string(ColumnType type) {
  for (const auto& [known, name] : kTypeNames) {
    if (known == type) return name;
  }
  throw std::invalid_argument(fmt::format("not a column type: {}", static_cast<int>(type)));
}

ColumnType parse_column_type(std::string_view name) {
  for (const auto& [type, known] : kTypeNames) {
    if (known == name) return type;
  }
  throw std::invalid_argument(fmt::format(
      "unknown column type '{}'; valid: int64, double, bool, timestamp, keyword, keywords, bytes",
      name));
}

void ColumnValues::refuse(std::string_view reason) const {
  throw std::invalid_argument(fmt::format("column '{}', row {}: {}", spec_.name, size_, reason));
}

void ColumnValues::require(bool fits, std::string_view given) const {
  if (fits) return;
  refuse(fmt::format("{} for a column of type {}", given, to_string(spec_.type)));
}

void ColumnValues::add_valid() {
  if (!valid_.empty()) valid_.push_back(1);
  ++size_;
}

void ColumnValues::add_null() {
  if (valid_.empty()) valid_.assign(size_, 1);
  valid_.push_back(0);
  ++size_;
  if (spec_.type == ColumnType::float64) {
    doubles_.push_back(0);
  } else if (is_integer(spec_.type)) {
    integers_.push_back(0);
  } else if (spec_.type == ColumnType::keywords) {
    row_ends_.push_back(text_ends_.size());
  } else {
    add_text({});
  }
}

void ColumnValues::add(std::int64_t value) {
  require(is_integer(spec_.type), "an integer");
  if (spec_.type == ColumnType::boolean && value != 0 && value != 1) {
    refuse(fmt::format("{} is no truth value: give 0 or 1", value));
  }
  integers_.push_back(value);
  add_valid();
}

void ColumnValues::add(double value) {
  require(spec_.type == ColumnType::float64, "a number with a fraction");
  if (std::isnan(value)) refuse("NaN has no place in an order: give NULL or a number");
  doubles_.push_back(value);
  add_valid();
}

void ColumnValues::add_text(std::string_view text) {
  text_ += text;
  text_ends_.push_back(text_.size());
}

void ColumnValues::check_text(std::string_view text) const {
  const std::size_t most = spec_.type == ColumnType::bytes ? kMaxBytesValue : kMaxKeywordBytes;
  if (text.size() > most) {
    refuse(fmt::format("a text of {} bytes, the most are {}", text.size(), most));
  }
  if (spec_.type != ColumnType::bytes && !is_utf8(text)) {
    refuse("a text that is not UTF-8: give a column of type bytes, or encode the text");
  }
}

void ColumnValues::add(std::string_view text) {
  require(spec_.type == ColumnType::keyword || spec_.type == ColumnType::bytes, "a text");
  check_text(text);
  add_text(text);
  add_valid();
}

void ColumnValues::add(std::span<const std::string_view> texts) {
  require(spec_.type == ColumnType::keywords, "a set of texts");
  for (const std::string_view text : texts) check_text(text);
  std::vector<std::string_view> set(texts.begin(), texts.end());
  std::sort(set.begin(), set.end());
  set.erase(std::unique(set.begin(), set.end()), set.end());
  if (set.size() > kMaxKeywords) {
    refuse(fmt::format("a set of {} texts, the most are {}", set.size(), kMaxKeywords));
  }
  for (const std::string_view text : set) add_text(text);
  row_ends_.push_back(text_ends_.size());
  add_valid();
}

std::vector<std::string_view> ColumnValues::texts(std::size_t row) const {
  std::vector<std::string_view> found;
  for (std::size_t i = row == 0 ? 0 : row_ends_[row - 1]; i < row_ends_[row]; ++i) {
    found.push_back(text_at(i));
  }
  return found;
}

void ColumnValues::check_row(std::size_t end) const {
  if (end <= size_) return;
  throw std::invalid_argument(
      fmt::format("column '{}' has {} rows, row {} is asked for", spec_.name, size_, end - 1));
}

void ColumnValues::add_from(const ColumnValues& other, std::size_t row) {
  require(other.spec_.type == spec_.type, "a value of type " + to_string(other.spec_.type));
  other.check_row(row + 1);
  if (other.is_null(row)) {
    add_null();
    return;
  }
  if (spec_.type == ColumnType::float64) {
    doubles_.push_back(other.doubles_[row]);
  } else if (is_integer(spec_.type)) {
    integers_.push_back(other.integers_[row]);
  } else if (spec_.type == ColumnType::keywords) {
    for (const std::string_view text : other.texts(row)) add_text(text);
    row_ends_.push_back(text_ends_.size());
  } else {
    add_text(other.text(row));
  }
  add_valid();
}

ColumnValues ColumnValues::slice(std::size_t first, std::size_t count) const {
  constexpr std::size_t kMost = std::numeric_limits<std::size_t>::max() - 1;
  if (count > size_ || first > size_ - count) check_row(std::clamp(first, size_, kMost) + 1);
  ColumnValues part(spec_);
  for (std::size_t row = first; row < first + count; ++row) part.add_from(*this, row);
  return part;
}

ColumnValues ColumnValues::take(std::span<const std::uint32_t> rows) const {
  ColumnValues part(spec_);
  for (const std::uint32_t row : rows) part.add_from(*this, row);
  return part;
}

std::size_t ColumnValues::bytes() const {
  return valid_.size() + integers_.size() * sizeof(std::int64_t) +
         doubles_.size() * sizeof(double) + text_.size() +
         (text_ends_.size() + row_ends_.size()) * sizeof(std::uint64_t);
}

}  // namespace obliq
