// A column is read through ColumnValues, which checks each value; what it does not tell, the form
// that one set of values alone has, is checked here: the same values are the same bytes.
#include "collection/column_record.h"

#include <fmt/format.h>

#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "collection/column_schema.h"
#include "index/columns/check_columns.h"

namespace obliq {
namespace {

struct ColumnHead {
  std::uint8_t type = 0;
  std::uint8_t name_bytes = 0;
  std::uint8_t has_nulls = 0;
  std::uint8_t zero = 0;
  std::uint32_t zeros = 0;
  std::uint64_t bytes = 0;  // of the values
};
static_assert(sizeof(ColumnHead) == 16);

[[noreturn]] void refuse(const std::string& reason) { throw std::runtime_error(reason); }

template <typename T>
void put(T value, std::string& out) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

template <typename Bit>
void put_bits(std::size_t count, std::string& out, Bit bit) {
  const std::size_t first = out.size();
  out.resize(first + (count + 7) / 8);
  for (std::size_t i = 0; i < count; ++i) {
    auto& byte = out[first + i / 8];
    if (bit(i)) byte = static_cast<char>(static_cast<unsigned char>(byte) | 1U << i % 8);
  }
}

void put_texts(const ColumnValues& column, std::string& out) {
  for (std::size_t i = 0; i < column.size(); ++i) {
    put(static_cast<std::uint32_t>(column.text(i).size()), out);
  }
  for (std::size_t i = 0; i < column.size(); ++i) out += column.text(i);
}

void put_sets(const ColumnValues& column, std::string& out) {
  std::string lengths;
  std::string texts;
  for (std::size_t i = 0; i < column.size(); ++i) {
    const std::vector<std::string_view> set = column.texts(i);
    put(static_cast<std::uint32_t>(set.size()), out);
    for (const std::string_view text : set) {
      put(static_cast<std::uint32_t>(text.size()), lengths);
      texts += text;
    }
  }
  out += lengths;
  out += texts;
}

void put_values(const ColumnValues& column, std::string& out) {
  const std::size_t n = column.size();
  if (column.has_nulls()) put_bits(n, out, [&](std::size_t i) { return !column.is_null(i); });
  switch (column.type()) {
    case ColumnType::int64:
    case ColumnType::timestamp:
      for (std::size_t i = 0; i < n; ++i) put(column.integer(i), out);
      return;
    case ColumnType::float64:
      for (std::size_t i = 0; i < n; ++i) put(column.number(i), out);
      return;
    case ColumnType::boolean:
      return put_bits(n, out, [&](std::size_t i) { return column.integer(i) != 0; });
    case ColumnType::keyword:
    case ColumnType::bytes:
      return put_texts(column, out);
    case ColumnType::keywords:
      return put_sets(column, out);
  }
}

/// Bytes from the front of which values are taken.
class Cursor {
 public:
  explicit Cursor(std::span<const std::byte> bytes) : bytes_(bytes) {}

  std::span<const std::byte> take(std::uint64_t count) {
    if (count > bytes_.size()) refuse("its columns end too early");
    const auto taken = bytes_.first(count);
    bytes_ = bytes_.subspan(count);
    return taken;
  }
  template <typename T>
  std::span<const std::byte> array(std::uint64_t count) {
    if (count > bytes_.size() / sizeof(T)) refuse("its columns end too early");
    return take(count * sizeof(T));
  }
  bool empty() const { return bytes_.empty(); }

 private:
  std::span<const std::byte> bytes_;
};

template <typename T>
T value_at(std::span<const std::byte> bytes, std::size_t i) {
  T value;
  std::memcpy(&value, bytes.data() + i * sizeof value, sizeof value);
  return value;
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// The bits of n values, none set behind the last.
class Bits {
 public:
  Bits(Cursor& cursor, std::size_t n) : bytes_(cursor.take((n + 7) / 8)) {
    if (n % 8 != 0 && std::to_integer<unsigned>(bytes_.back()) >> n % 8 != 0) {
      refuse("a column has bits behind the last value");
    }
  }
  bool operator[](std::size_t i) const {
    return (std::to_integer<unsigned>(bytes_[i / 8]) >> i % 8 & 1U) != 0;
  }

 private:
  std::span<const std::byte> bytes_;
};

/// Reads the values of a column.
class ValueReader {
 public:
  ValueReader(Cursor& cursor, std::size_t n, bool has_nulls, ColumnValues& out)
      : cursor_(cursor), n_(n), out_(out) {
    if (has_nulls) read_valid();
  }

  void read();

 private:
  bool is_valid(std::size_t i) const { return valid_.empty() || valid_[i]; }
  /// Takes value i, or a NULL that is stored as zero.
  template <typename T>
  void add(std::size_t i, T value) {
    if (is_valid(i)) {
      out_.add(value);
    } else if (value != T{}) {
      refuse("a NULL has a value");
    } else {
      out_.add_null();
    }
  }
  void read_valid();
  template <typename T>
  void read_numbers();
  void read_bits();
  void read_texts();
  void read_sets();

  Cursor& cursor_;
  const std::size_t n_;
  ColumnValues& out_;
  std::vector<bool> valid_;
};

void ValueReader::read_valid() {
  const Bits bits(cursor_, n_);
  bool has_nulls = false;
  for (std::size_t i = 0; i < n_; ++i) {
    valid_.push_back(bits[i]);
    has_nulls = has_nulls || !bits[i];
  }
  if (!has_nulls) refuse("a column without NULL says that it has some");
}

template <typename T>
void ValueReader::read_numbers() {
  const auto bytes = cursor_.array<T>(n_);
  for (std::size_t i = 0; i < n_; ++i) {
    if (!is_valid(i) && value_at<std::uint64_t>(bytes, i) != 0) refuse("a NULL has a value");
    add(i, value_at<T>(bytes, i));
  }
}

void ValueReader::read_bits() {
  const Bits bits(cursor_, n_);
  for (std::size_t i = 0; i < n_; ++i) add(i, std::int64_t{bits[i]});
}

void ValueReader::read_texts() {
  const auto lengths = cursor_.array<std::uint32_t>(n_);
  for (std::size_t i = 0; i < n_; ++i) {
    add(i, text_of(cursor_.take(value_at<std::uint32_t>(lengths, i))));
  }
}

// The texts of a set rise, so that adding them neither sorts them nor leaves one out.
void ValueReader::read_sets() {
  const auto counts = cursor_.array<std::uint32_t>(n_);
  std::uint64_t all = 0;
  for (std::size_t i = 0; i < n_; ++i) all += value_at<std::uint32_t>(counts, i);
  const auto lengths = cursor_.array<std::uint32_t>(all);
  std::size_t next = 0;
  std::vector<std::string_view> set;
  for (std::size_t i = 0; i < n_; ++i) {
    const auto count = value_at<std::uint32_t>(counts, i);
    if (count > kMaxKeywords) refuse(fmt::format("a set of {} texts", count));
    if (!is_valid(i) && count > 0) refuse("a NULL has a value");
    set.clear();
    for (std::uint32_t t = 0; t < count; ++t) {
      set.push_back(text_of(cursor_.take(value_at<std::uint32_t>(lengths, next++))));
      if (t > 0 && set[t] <= set[t - 1]) refuse("the texts of a set do not rise");
    }
    if (is_valid(i)) {
      out_.add(set);
    } else {
      out_.add_null();
    }
  }
}

void ValueReader::read() {
  switch (out_.type()) {
    case ColumnType::int64:
    case ColumnType::timestamp:
      return read_numbers<std::int64_t>();
    case ColumnType::float64:
      return read_numbers<double>();
    case ColumnType::boolean:
      return read_bits();
    case ColumnType::keyword:
    case ColumnType::bytes:
      return read_texts();
    case ColumnType::keywords:
      return read_sets();
  }
}

ColumnValues read_column(Cursor& cursor, std::size_t rows, const ColumnSchema& schema) {
  const auto head = value_at<ColumnHead>(cursor.take(sizeof(ColumnHead)), 0);
  const std::string name(text_of(cursor.take(head.name_bytes)));
  const ColumnSpec* known = find_column(schema, name);
  if (known == nullptr || known->type != static_cast<ColumnType>(head.type)) {
    refuse(fmt::format("the collection has no column '{}' of type {}",
                       known == nullptr ? "?" : known->name, head.type));
  }
  if (head.has_nulls > 1 || head.zero != 0 || head.zeros != 0) {
    refuse(fmt::format("column '{}' has unknown numbers", name));
  }
  Cursor values(cursor.take(head.bytes));
  ColumnValues column(*known);
  try {
    ValueReader(values, rows, head.has_nulls != 0, column).read();
  } catch (const std::invalid_argument& error) {
    refuse(error.what());
  } catch (const std::runtime_error& error) {
    refuse(fmt::format("column '{}': {}", name, error.what()));
  }
  if (!values.empty()) refuse(fmt::format("column '{}' has bytes behind its values", name));
  return column;
}

}  // namespace

std::string write_column_values(std::span<const ColumnValues> columns) {
  std::string out;
  put(static_cast<std::uint32_t>(columns.size()), out);
  for (const ColumnValues& column : columns) {
    const std::size_t at = out.size();
    ColumnHead head;
    head.type = static_cast<std::uint8_t>(column.type());
    head.name_bytes = static_cast<std::uint8_t>(column.name().size());
    head.has_nulls = column.has_nulls() ? 1 : 0;
    put(head, out);
    out += column.name();
    const std::size_t values = out.size();
    put_values(column, out);
    head.bytes = out.size() - values;
    std::memcpy(out.data() + at, &head, sizeof head);
  }
  return out;
}

Columns read_column_values(std::span<const std::byte> bytes, std::size_t rows,
                           const ColumnSchema& schema) {
  Cursor cursor(bytes);
  const auto count = value_at<std::uint32_t>(cursor.take(sizeof(std::uint32_t)), 0);
  if (count == 0 || count > schema.size()) refuse(fmt::format("it has {} columns", count));
  Columns columns;
  for (std::uint32_t i = 0; i < count; ++i) {
    columns.push_back(read_column(cursor, rows, schema));
    for (std::uint32_t before = 0; before < i; ++before) {
      if (columns[before].name() == columns[i].name()) {
        refuse(fmt::format("column '{}' comes twice", columns[i].name()));
      }
    }
  }
  if (!cursor.empty()) refuse("it has bytes behind its columns");
  return columns;
}

}  // namespace obliq
