// Whether a query under a filter is answered faster by scanning lists, masked, or by scoring all
// rows that may be answers. Both costs are estimates in ns of one core of 2023 whose ratio decides;
// measured in docs/notes/benchmarks.md.
#pragma once

#include "index/search/search_plan.h"
#include "index/search/search_progress.h"
#include "index/segment/segment_set.h"

namespace obliq {

/// Asked before the first list and, since by the stop rule the lists that a query takes depend on
/// where its answers are, at each check. Requires a filter.
bool is_direct_faster(const SearchProgress& progress, const SegmentSet& set);
/// The same where it is known how many lists are to be scanned.
bool is_direct_faster(const SearchPlan& plan, double lists, const SegmentSet& set);

}  // namespace obliq
