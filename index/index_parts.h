// What an index consists of: for those parts of the library that do more with it than its public
// class.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <utility>

#include "index/filter/filter_access.h"
#include "index/search/parallel_searcher.h"
#include "index/search_planner.h"
#include "index/segment/row_decoder.h"
#include "index/segment/segment_set.h"

namespace obliq {

/// What a collection knows of its vectors beyond their segments.
struct CollectionFacts {
  std::shared_ptr<const ColumnSchema> schema;  ///< null: the columns that the segments have
  /// FilterSubject::slot_of_key; empty: ids are numbers.
  std::function<std::uint32_t(std::string_view)> slot_of_key = {};
};

struct IndexParts {
  /// `pools`: scratch memory of the set's model.
  IndexParts(SegmentSet made, Tuning known, std::shared_ptr<SearchPools> pools, bool has_changed,
             CollectionFacts knows);

  const SegmentSet set;
  const CollectionFacts facts;
  const std::shared_ptr<SearchPools> pools;
  SearchPlanner planner;
  ParallelSearcher searcher;
  const RowDecoder decoder;

  FilterSubject subject() const { return {set, *facts.schema, facts.slot_of_key}; }
  /// Null without a filter.
  std::shared_ptr<const RowFilter> rows(const std::optional<Filter>& filter) const {
    return filter ? FilterAccess::rows(*filter, subject()) : nullptr;
  }
  /// Values of columns, all of them where none is named, of slots, a negative one: NULL. Throws
  /// std::invalid_argument on an unknown name.
  Columns columns(std::span<const std::int64_t> slots, std::span<const std::string> names) const;
};

}  // namespace obliq
