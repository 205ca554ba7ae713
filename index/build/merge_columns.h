// The columns of a merge: each is written in the order of the merged rows, to the bytes that one
// segment of all of them would have. A segment that lacks a column has NULL in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "index/build/merge_sources.h"
#include "index/columns/column_table.h"
#include "storage/section_sink.h"

namespace obliq {

/// Bytes of memory that merging the columns of these takes.
std::size_t merge_columns_bytes(const std::vector<MergeSource>& sources);

/// Bytes of their columns in these, which those of the merged segment do not exceed by much.
std::uint64_t column_bytes_of(const MergeSources& sources);

class ColumnMerger {
 public:
  using Visit = std::function<void(const SourceRow&)>;

  /// `for_each_row` calls what it gets with the rows of the merged segment in their order, the same
  /// at each call. What is given outlives this. Throws std::invalid_argument naming both segments
  /// where a column is of two types.
  ColumnMerger(const MergeSources& sources, std::function<void(const Visit&)> for_each_row,
               SectionSink& sink);

  bool empty() const { return schema_.empty(); }
  /// Writes the sections of all columns, if there are any. `list_ends`: of each merged list record
  /// where its rows end. Throws std::invalid_argument where sets of keywords have 2^32 texts or
  /// more together. Memory, of one column at a time: two bits per row, 16 bytes per list, 4 per
  /// text of the segments' dictionaries. Cost: each byte is read twice at the most, but for
  /// dictionaries, and written once; the rows are gone through twice for a column of texts, three
  /// times for one of keywords, else once.
  void write(std::span<const std::uint32_t> list_ends);
  /// What was written, as it lies in the sink, without owner; null: no columns.
  std::shared_ptr<const ColumnTable> written(std::size_t rows, std::size_t records,
                                             std::shared_ptr<const void> owner) const;

 private:
  void begin(std::size_t column, const char* part);

  const MergeSources& sources_;
  const std::function<void(const Visit&)> for_each_row_;
  SectionSink& sink_;
  ColumnSchema schema_;
  std::set<std::string> sections_;  // written

  friend class OneColumn;
};

}  // namespace obliq
