// A reader compares the size of each section with what the numbers before it ask for, and no more:
// what is in them is looked at where it is used (column_table.h), or by verify_columns.
#include "index/columns/column_sections.h"

#include <fmt/format.h>

#include <limits>

#include "index/columns/check_columns.h"

namespace obliq {
namespace {

// As stored before each name.
struct NameHead {
  std::uint8_t type;
  std::uint8_t bytes;
};
static_assert(sizeof(NameHead) == 2);

class SchemaReader {
 public:
  SchemaReader(std::span<const std::byte> bytes, const ColumnSource& source)
      : bytes_(bytes), source_(source) {}

  ColumnSchema read();

 private:
  [[noreturn]] void refuse(const std::string& reason) const {
    throw source_.fault(kColumnsSection, reason);
  }
  template <typename T>
  T take() {
    T value;
    if (bytes_.size() < sizeof value) refuse("it ends too early");
    std::memcpy(&value, bytes_.data(), sizeof value);
    bytes_ = bytes_.subspan(sizeof value);
    return value;
  }

  std::span<const std::byte> bytes_;
  const ColumnSource& source_;
};

ColumnSchema SchemaReader::read() {
  ColumnSchema schema;
  const auto count = take<std::uint32_t>();
  if (count == 0 || count > kMaxColumns) refuse(fmt::format("{} columns", count));
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto head = take<NameHead>();
    if (head.type > static_cast<std::uint8_t>(ColumnType::bytes)) {
      refuse(fmt::format("column {} is of the unknown type {}", i, head.type));
    }
    if (bytes_.size() < head.bytes) refuse("it ends too early");
    std::string name(reinterpret_cast<const char*>(bytes_.data()), head.bytes);
    bytes_ = bytes_.subspan(head.bytes);
    if (!is_column_name(name) || (i > 0 && name <= schema.back().name)) {
      refuse(fmt::format("the name of column {} is none, or out of order", i));
    }
    schema.push_back({std::move(name), static_cast<ColumnType>(head.type)});
  }
  if (!bytes_.empty()) refuse(fmt::format("{} bytes behind the last name", bytes_.size()));
  return schema;
}

class ColumnReader {
 public:
  ColumnReader(const ColumnSource& source, std::size_t number, std::size_t rows,
               std::size_t records)
      : source_(source), number_(number), rows_(rows), records_(records) {}

  StoredColumn read(const ColumnSpec& spec);

 private:
  template <typename T>
  std::span<const T> all(std::string_view part) const;
  template <typename T>
  std::span<const T> array(std::string_view part, std::size_t count) const;
  [[noreturn]] void refuse(std::string_view part, const std::string& reason) const {
    throw source_.fault(column_section(number_, part), reason);
  }
  std::size_t words() const { return (rows_ + 63) / 64; }
  void read_texts();
  void read_codes();

  const ColumnSource& source_;
  const std::size_t number_;
  const std::size_t rows_;
  const std::size_t records_;
  StoredColumn column_;
};

template <typename T>
std::span<const T> ColumnReader::all(std::string_view part) const {
  const auto bytes = source_.bytes(column_section(number_, part));
  if (bytes.size() % sizeof(T) != 0) {
    refuse(part, fmt::format("{} bytes are no items of {}", bytes.size(), sizeof(T)));
  }
  return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
}

template <typename T>
std::span<const T> ColumnReader::array(std::string_view part, std::size_t count) const {
  const auto items = all<T>(part);
  if (items.size() == count) return items;
  refuse(part, fmt::format("{} items of {} bytes, expected {}", items.size(), sizeof(T), count));
}

void ColumnReader::read_texts() {
  column_.text_ends = column_.spec.type == ColumnType::bytes ? array<std::uint64_t>("ends", rows_)
                                                             : all<std::uint64_t>("ends");
  column_.text = all<char>("text");
  const std::uint64_t end = column_.text_ends.empty() ? 0 : column_.text_ends.back();
  if (end == column_.text.size()) return;
  refuse("ends",
         fmt::format("the last text ends at {}, there are {} bytes", end, column_.text.size()));
}

void ColumnReader::read_codes() {
  column_.code_bytes = code_bytes_of(column_.texts());
  if (column_.spec.type == ColumnType::keyword) {
    column_.codes = array<std::uint8_t>("codes", rows_ * column_.code_bytes);
    return;
  }
  column_.row_ends = array<std::uint32_t>("rows", rows_);
  const std::size_t end = column_.row_ends.empty() ? 0 : column_.row_ends.back();
  column_.codes = array<std::uint8_t>("codes", end * column_.code_bytes);
}

StoredColumn ColumnReader::read(const ColumnSpec& spec) {
  column_.spec = spec;
  if (source_.has(column_section(number_, "valid"))) {
    column_.valid = array<std::uint64_t>("valid", words());
  }
  if (has_integers(spec.type)) {
    column_.integers = array<std::int64_t>("values", rows_);
    column_.integer_ranges = array<std::int64_t>("ranges", 2 * records_);
  } else if (spec.type == ColumnType::float64) {
    column_.doubles = array<double>("values", rows_);
    column_.double_ranges = array<double>("ranges", 2 * records_);
  } else if (spec.type == ColumnType::boolean) {
    column_.bits = array<std::uint64_t>("values", words());
  } else {
    read_texts();
    if (has_codes(spec.type)) read_codes();
  }
  return column_;
}

}  // namespace

std::string column_section(std::size_t i, std::string_view part) {
  return fmt::format("c{}.{}", i, part);
}

std::vector<ColumnPart> parts_of(const StoredColumn& column) {
  std::vector<ColumnPart> parts;
  const ColumnType type = column.spec.type;
  if (has_integers(type)) {
    parts.push_back({"values", std::as_bytes(column.integers)});
  } else if (type == ColumnType::float64) {
    parts.push_back({"values", std::as_bytes(column.doubles)});
  } else if (type == ColumnType::boolean) {
    parts.push_back({"values", std::as_bytes(column.bits)});
  } else {
    parts.push_back({"ends", std::as_bytes(column.text_ends)});
    parts.push_back({"text", std::as_bytes(column.text)});
    if (type == ColumnType::keywords) parts.push_back({"rows", std::as_bytes(column.row_ends)});
    if (has_codes(type)) parts.push_back({"codes", std::as_bytes(column.codes)});
  }
  if (!column.valid.empty()) parts.push_back({"valid", std::as_bytes(column.valid)});
  if (has_integers(type)) parts.push_back({"ranges", std::as_bytes(column.integer_ranges)});
  if (type == ColumnType::float64) {
    parts.push_back({"ranges", std::as_bytes(column.double_ranges)});
  }
  return parts;
}

std::uint64_t column_bytes(const ColumnTable* table) {
  std::uint64_t sum = 0;
  if (table == nullptr) return sum;
  for (const StoredColumn& column : table->columns) {
    for (const ColumnPart& part : parts_of(column)) sum += part.bytes.size();
  }
  return sum;
}

std::string write_schema(const ColumnSchema& schema) {
  const auto count = static_cast<std::uint32_t>(schema.size());
  std::string bytes(reinterpret_cast<const char*>(&count), sizeof count);
  for (const ColumnSpec& spec : schema) {
    const NameHead head = {static_cast<std::uint8_t>(spec.type),
                           static_cast<std::uint8_t>(spec.name.size())};
    bytes.append(reinterpret_cast<const char*>(&head), sizeof head);
    bytes += spec.name;
  }
  return bytes;
}

void write_columns(SectionSink& sink, const ColumnTable* table) {
  if (table == nullptr) return;
  ColumnSchema schema;
  for (const StoredColumn& column : table->columns) schema.push_back(column.spec);
  const std::string bytes = write_schema(schema);
  sink.add(kColumnsSection, std::as_bytes(std::span(bytes)), Need::required);
  for (std::size_t i = 0; i < table->columns.size(); ++i) {
    for (const ColumnPart& part : parts_of(table->columns[i])) {
      sink.add(column_section(i, part.name), part.bytes);
    }
  }
}

ColumnTable read_columns(std::span<const std::byte> schema, const ColumnSource& source,
                         std::size_t rows, std::size_t records) {
  ColumnTable table;
  table.rows = rows;
  for (const ColumnSpec& spec : SchemaReader(schema, source).read()) {
    table.columns.push_back(ColumnReader(source, table.columns.size(), rows, records).read(spec));
  }
  return table;
}

}  // namespace obliq
