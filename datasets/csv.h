// Tables of text: comma-separated values with a header, as RFC 4180 has them, read by libcsv. A
// field may stand in double quotes, in which a comma and an end of a line are text and "" is a
// quote. Blanks are part of a field, an empty line is no row, and a byte order mark is passed over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/file_bytes.h"
#include "obliq/progress.h"

namespace obliq::datasets {

/// The fields of one column.
class CsvColumn {
 public:
  explicit CsvColumn(std::string name) : name_(std::move(name)) {}

  const std::string& name() const { return name_; }
  std::size_t rows() const { return ends_.size(); }
  /// Nothing where the field is empty and has no quotes; one that is "" is an empty text.
  std::optional<std::string_view> field(std::size_t row) const;
  /// Nothing is an empty field without quotes.
  void add(std::optional<std::string_view> field);

 private:
  std::string name_;
  std::string text_;                 // of all fields
  std::vector<std::uint64_t> ends_;  // of each
  std::vector<bool> is_missing_;
};

struct CsvTable {
  std::string path;
  std::size_t rows = 0;
  std::vector<CsvColumn> columns;  ///< one or more, of different names, none of them empty
};

/// Reads a file. Throws std::invalid_argument naming the row, the first behind the header being row
/// 0, where the fields are not as many as the header has names or quotes are out of place, and on a
/// header without names, with one twice or with more than 1,000; Cancelled when progress returned
/// false.
CsvTable read_csv(const std::string& path, const Progress& progress = {});

/// read_csv on bytes.
CsvTable parse_csv(const FileBytes& file, const Progress& progress = {});

}  // namespace obliq::datasets
