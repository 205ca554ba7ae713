// What collections, profiles and studies (tools, bench, tests) need of an index beyond its public
// class. The library does not export it: link the objects.
#pragma once

#include <cstdint>
#include <memory>

#include "index/index_parts.h"
#include "index/search/search_counters.h"
#include "index/segment/segment_set.h"
#include "obliq/index.h"

namespace obliq {

struct SearchPools;

struct IndexAccess {
  /// An index of segments that are there already. `pools`: of their model; `has_changed`: there
  /// were many more vectors or fewer when it was tuned (IndexExtent).
  static Index make(SegmentSet set, Tuning tuning, std::shared_ptr<SearchPools> pools,
                    bool has_changed = false, CollectionFacts facts = {});

  static IndexParts& parts(const Index& index);

  /// Index::search that also adds the work of the queries to `counters`, where that is not
  /// null, and their times where counters->times has a clock. The answers are the same.
  static void search(const Index& index, MatrixView<float> queries, const SearchOptions& options,
                     float* distances, std::int64_t* ids, SearchCounters* counters);

  /// Throws what Index::search of these queries would, before any is answered.
  static void check(const Index& index, MatrixView<float> queries, const SearchOptions& options);

  /// What the index stores. Valid while the index lives.
  static const SegmentSet& segments(const Index& index);

  static Tuning tuning(const Index& index);

  /// Puts `tuning` in place of what was known. Searches may run meanwhile.
  static void set_tuning(Index& index, Tuning tuning);
};

}  // namespace obliq
