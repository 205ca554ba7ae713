// What an index and a collection do with a filter: which of their rows pass it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "index/filter/row_filter.h"
#include "index/segment/segment_set.h"
#include "obliq/columns.h"
#include "obliq/filter.h"

namespace obliq {

/// What a filter may ask of those whose vectors it is for.
struct FilterSubject {
  const SegmentSet& set;
  const ColumnSchema& schema;  ///< of the columns that expressions may name
  /// The slot of a key, kNoSlot where there is none; empty: ids are numbers.
  std::function<std::uint32_t(std::string_view)> slot_of_key = {};
};

struct FilterAccess {
  /// The rows that pass. Throws std::invalid_argument where the filter does not fit: a column that
  /// there is none of, keys where ids are numbers, and so on. Cost: what was found for a segment is
  /// kept for as long as the filter is used with it, and with the same rows deleted; else a pass
  /// over the rows.
  static std::shared_ptr<const RowFilter> rows(const Filter& filter, const FilterSubject& subject);
  /// Throws as `rows` where an expression does not fit the columns. For those without vectors yet.
  static void check(const Filter& filter, const ColumnSchema& schema);
};

}  // namespace obliq
