// Columns are arranged one by one, in the order of their names. The texts of a column are numbered
// as they come; once all are known, their numbers become places in the sorted dictionary.
#include "index/columns/arrange_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "index/columns/column_ranges.h"

namespace obliq {
namespace {

/// The bytes behind the spans of a column.
struct ColumnBytes {
  std::vector<std::uint64_t> valid, bits, text_ends;
  std::vector<std::int64_t> integers, integer_ranges;
  std::vector<double> doubles, double_ranges;
  std::vector<std::uint8_t> codes;
  std::vector<std::uint32_t> row_ends;
  std::vector<char> text;

  void add_text(std::string_view more) {
    text.insert(text.end(), more.begin(), more.end());
    text_ends.push_back(text.size());
  }
};

class Arranger {
 public:
  Arranger(const ColumnValues& values, std::size_t first, std::span<const std::uint32_t> order,
           std::span<const std::uint32_t> list_ends, ColumnBytes& bytes)
      : values_(values), first_(first), order_(order), list_ends_(list_ends), bytes_(bytes) {}

  StoredColumn arrange();

 private:
  std::size_t row(std::uint32_t i) const { return first_ + i; }
  void write_valid();
  void write_integers();
  void write_doubles();
  void write_bits();
  void write_keywords();
  void write_dictionary(std::vector<std::uint32_t> numbers);
  void write_texts();
  StoredColumn view() const;

  const ColumnValues& values_;
  const std::size_t first_;
  const std::span<const std::uint32_t> order_;
  const std::span<const std::uint32_t> list_ends_;
  ColumnBytes& bytes_;
  std::vector<std::string_view> texts_;  // as they come
};

void Arranger::write_valid() {
  if (!values_.has_nulls()) return;
  BitCollector valid;
  for (const std::uint32_t i : order_) valid.put(!values_.is_null(row(i)));
  if (valid.has_zeros()) bytes_.valid = valid.take();
}

void Arranger::write_integers() {
  RangeCollector<std::int64_t> ranges(list_ends_);
  bytes_.integers.reserve(order_.size());
  for (const std::uint32_t i : order_) {
    bytes_.integers.push_back(values_.integer(row(i)));
    ranges.put(bytes_.integers.back(), !values_.is_null(row(i)));
  }
  bytes_.integer_ranges = ranges.take();
}

void Arranger::write_doubles() {
  RangeCollector<double> ranges(list_ends_);
  bytes_.doubles.reserve(order_.size());
  for (const std::uint32_t i : order_) {
    bytes_.doubles.push_back(values_.number(row(i)));
    ranges.put(bytes_.doubles.back(), !values_.is_null(row(i)));
  }
  bytes_.double_ranges = ranges.take();
}

void Arranger::write_bits() {
  BitCollector bits;
  for (const std::uint32_t i : order_) bits.put(values_.integer(row(i)) != 0);
  bytes_.bits = bits.take();
}

// Both kinds: of a keyword that is null the code is 0 whatever the dictionary.
void Arranger::write_keywords() {
  constexpr std::uint32_t kNull = std::numeric_limits<std::uint32_t>::max();
  const bool is_set = values_.type() == ColumnType::keywords;
  std::unordered_map<std::string_view, std::uint32_t> known;
  std::vector<std::uint32_t> numbers;
  const auto add = [&](std::string_view text) {
    const auto [at, is_new] = known.emplace(text, static_cast<std::uint32_t>(texts_.size()));
    if (is_new) texts_.push_back(text);
    numbers.push_back(at->second);
  };
  for (const std::uint32_t i : order_) {
    if (is_set) {
      for (const std::string_view text : values_.texts(row(i))) add(text);
      bytes_.row_ends.push_back(static_cast<std::uint32_t>(numbers.size()));
    } else if (values_.is_null(row(i))) {
      numbers.push_back(kNull);
    } else {
      add(values_.text(row(i)));
    }
    if (numbers.size() < kNull) continue;
    throw std::invalid_argument(fmt::format(
        "column '{}' has 2^32 texts or more: divide the vectors into segments", values_.name()));
  }
  write_dictionary(std::move(numbers));
}

void Arranger::write_dictionary(std::vector<std::uint32_t> numbers) {
  std::vector<std::uint32_t> sorted(texts_.size());
  std::iota(sorted.begin(), sorted.end(), 0U);
  std::sort(sorted.begin(), sorted.end(),
            [&](std::uint32_t a, std::uint32_t b) { return texts_[a] < texts_[b]; });
  std::vector<std::uint32_t> code_of(texts_.size());
  for (std::uint32_t code = 0; code < sorted.size(); ++code) {
    bytes_.add_text(texts_[sorted[code]]);
    code_of[sorted[code]] = code;
  }
  const std::uint32_t width = code_bytes_of(texts_.size());
  bytes_.codes.resize(numbers.size() * width);
  std::uint8_t* out = bytes_.codes.data();
  for (const std::uint32_t number : numbers) {
    const std::uint32_t code = number < code_of.size() ? code_of[number] : 0;
    std::memcpy(out, &code, width);
    out += width;
  }
}

void Arranger::write_texts() {
  for (const std::uint32_t i : order_) bytes_.add_text(values_.text(row(i)));
}

StoredColumn Arranger::view() const {
  StoredColumn column;
  column.spec = values_.spec();
  column.valid = bytes_.valid;
  column.integers = bytes_.integers;
  column.doubles = bytes_.doubles;
  column.bits = bytes_.bits;
  column.codes = bytes_.codes;
  column.row_ends = bytes_.row_ends;
  column.text_ends = bytes_.text_ends;
  column.text = bytes_.text;
  column.integer_ranges = bytes_.integer_ranges;
  column.double_ranges = bytes_.double_ranges;
  return column;
}

StoredColumn Arranger::arrange() {
  write_valid();
  switch (values_.type()) {
    case ColumnType::int64:
    case ColumnType::timestamp:
      write_integers();
      break;
    case ColumnType::float64:
      write_doubles();
      break;
    case ColumnType::boolean:
      write_bits();
      break;
    case ColumnType::keyword:
    case ColumnType::keywords:
      write_keywords();
      break;
    case ColumnType::bytes:
      write_texts();
      return view();
  }
  StoredColumn column = view();
  if (has_codes(values_.type())) column.code_bytes = code_bytes_of(texts_.size());
  return column;
}

}  // namespace

std::size_t arranging_bytes(std::span<const ColumnValues> columns) {
  constexpr std::size_t kPerText = 56;
  std::size_t sum = 0;
  std::size_t texts = 0;
  for (const ColumnValues& values : columns) {
    sum += values.bytes() / std::max<std::size_t>(1, values.size()) + 1;
    if (has_codes(values.type())) ++texts;
  }
  return sum + kPerText * texts;
}

std::shared_ptr<const ColumnTable> arrange_columns(std::span<const ColumnValues> columns,
                                                   std::size_t first,
                                                   std::span<const std::uint32_t> order,
                                                   std::span<const std::uint32_t> list_ends) {
  if (columns.empty()) return nullptr;
  const auto bytes = std::make_shared<std::deque<ColumnBytes>>();
  auto table = std::make_shared<ColumnTable>();
  table->rows = order.size();
  table->owner = bytes;
  for (const ColumnValues& values : columns) {
    table->columns.push_back(
        Arranger(values, first, order, list_ends, bytes->emplace_back()).arrange());
  }
  std::sort(table->columns.begin(), table->columns.end(),
            [](const StoredColumn& a, const StoredColumn& b) { return a.spec.name < b.spec.name; });
  return table;
}

}  // namespace obliq
