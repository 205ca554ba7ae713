// One query through the four stages: route, scan, refine, raw (docs/design.md). Holds the scratch
// memory of a search, so that a query allocates nothing. One for each thread; the answer depends
// on the query and the options alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "index/list_scanner.h"
#include "index/query_state.h"
#include "index/router.h"
#include "index/segment.h"
#include "index/stop_rule.h"

namespace obliq {

class Searcher {
 public:
  explicit Searcher(const Segment& segment);

  /// Writes k distances and rows (-1 and +infinity where there are too few), nearest first.
  void search(const float* query, const SearchPlan& plan, float* distances, std::int64_t* rows,
              SearchCounters& counters);

 private:
  void scan_probes(SearchCounters& counters);
  void fill(SearchCounters& counters);
  void scan_until_stop(SearchCounters& counters);
  float score(std::size_t lists, std::size_t last, const StopScale& scale) const;

  const Segment& segment_;
  QueryState query_;
  Router router_;
  ListScanner scanner_;
  std::vector<Probe> probes_;
};

}  // namespace obliq
