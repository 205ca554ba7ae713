// Columns as sections of a file (docs/file_format.md): `columns` with their names and types, and of
// column i, by name, `ci.values` and so on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "index/columns/column_table.h"
#include "storage/section_sink.h"

namespace obliq {

/// The name of the section that names all columns.
inline constexpr const char* kColumnsSection = "columns";

/// The name of a section of column i: "c12.values".
std::string column_section(std::size_t i, std::string_view part);

/// A section of a column.
struct ColumnPart {
  const char* name;  ///< "values"
  std::span<const std::byte> bytes;
};

/// The sections of a column in the order in which they are written.
std::vector<ColumnPart> parts_of(const StoredColumn& column);

/// Bytes of all sections but `columns`; null table: 0.
std::uint64_t column_bytes(const ColumnTable* table);

/// The bytes of the section `columns`: of a schema by name.
std::string write_schema(const ColumnSchema& schema);

/// Writes all sections; null table: none.
void write_columns(SectionSink& sink, const ColumnTable* table);

/// Where sections are read from.
class ColumnSource {
 public:
  ColumnSource() = default;
  ColumnSource(const ColumnSource&) = delete;
  ColumnSource& operator=(const ColumnSource&) = delete;
  virtual ~ColumnSource() = default;

  virtual bool has(const std::string& section) const = 0;
  /// Aligned to 8 bytes.
  virtual std::span<const std::byte> bytes(const std::string& section) const = 0;
  /// What to throw where the bytes of a section do not fit.
  virtual std::runtime_error fault(const std::string& section, const std::string& reason) const = 0;
};

/// The columns of a segment of so many rows and list records, whose `schema` is what the section
/// `columns` says, without owner. Refuses what is of another size than it must be; cost: that of
/// the names.
ColumnTable read_columns(std::span<const std::byte> schema, const ColumnSource& source,
                         std::size_t rows, std::size_t records);

/// Refuses whatever arranging or merging would not have written. Cost: reads all.
void verify_columns(const ColumnTable& table, std::span<const std::uint32_t> list_ends,
                    const ColumnSource& source);

}  // namespace obliq
