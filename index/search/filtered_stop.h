// When a query whose answers must pass a filter has seen enough lists.
//
// Where a share s of the rows may be answers, the k-th of these is about the (k/s)-th of all, and
// the search goes on as one for k/s: by the threshold of the stop rule for that k, with the lists
// since the last improvement counted s times, since k/s answers improve as much more often. The
// share is that of the lists scanned so far. Since a score is the logarithm of the answers that are
// to be expected, the threshold falls
//
//     by log(t/s)       where in the lists that come next the share t is larger than s,
//     by .8 log(a/u)    where in the nearest lists the share u is smaller than that of all rows, a:
//                       the answers are far from the query then, among more vectors than thresholds
//                       were tuned for. The factor is fitted on sentences with rows that are near
//                       one of them, and the queries farthest from it (docs/notes/benchmarks.md)
//
// Where u is less than half of a, the lists that a search for k/u takes without the stop rule are
// scanned in any case: such a query is like none that thresholds were tuned with.
#pragma once

#include "index/search/search_progress.h"
#include "index/segment/segment_set.h"

namespace obliq {

/// Lists whose share of rows that may be answers tells whether these are near.
constexpr std::size_t kNearLists = 16;

/// The share of rows that may be answers in the lists scanned so far; without a filter 1.
double allowed_share(const SearchProgress& progress, const SegmentSet& set);

/// How many lists a query takes, as far as is known by now: those of a search for k/s, of the
/// smaller of both shares, without the stop rule. Requires thresholds by rarity.
double filtered_lists(const SearchProgress& progress, const SegmentSet& set);

/// Lists before which the stop rule stops no query. Requires thresholds by rarity.
std::size_t filtered_least(const SearchProgress& progress, const SegmentSet& set);

/// The threshold of the stop rule. Requires a filter and thresholds by rarity.
float filtered_threshold(const SearchProgress& progress, const SegmentSet& set);

}  // namespace obliq
