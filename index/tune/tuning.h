// Tuning: which threshold of the stop rule, and which nprobe, meets which target recall.
//
// Learn queries, at most 1,000, are searched through all lists for k = 1, 10 and 100; at each check
// of the stop rule a trace records how many of the true neighbours have been found. The traces give
// the recall of any threshold and any nprobe without another search. A target counts as met where
// the mean recall r of the m learn queries is no less than
//
//     max(target, target - .003 + 1.28 s sqrt(1/m + 1/1000))
//
// with s the standard deviation of the recall over queries: the 90 % quantile of a normal
// distribution times the standard error of the difference between this mean and that of 1,000 other
// queries of the same kind. So in nine of ten such trials recall is at least target - .003.
//
// Where codes are so coarse that the default recall (recall_plan.h) is below .95, it is one of the
// targets.
//
// The rule is used for targets of .9 and more, and only where it saves more work than it costs,
// against the nprobe that does the same. Work is entries scanned and twenty times the rows refined.
//
// nprobe is also found at confidences of .8, .6 and .4, which refine fewer rows of more lists, from
// searches through twice the lists that .95 takes. A number of lists is whole, and what the last
// one gives beyond the target is taken back by a confidence between two of these (target_ladder.h).
// The least work is taken.
#pragma once

#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

#include "index/segment/segment_set.h"
#include "index/segment/tuning_section.h"
#include "index/tune/row_source.h"
#include "obliq/tuning.h"
#include "obliq/vector_source.h"

namespace obliq {

/// How many learn queries tuning takes for n vectors: 1,000 up to n = 500,000, then fewer, at least
/// 250.
std::size_t learn_count(std::size_t n);

/// Tunes with the learn queries of the model and their true neighbours that the segments hold. A
/// learn query that is a base vector is left out of its own answers. Below kLeastTuned vectors, or
/// where the model has no learn queries or a segment with vectors no truth, the set is not tuned.
/// The outcome does not depend on the number of threads, nor on how the vectors are cut into
/// segments but for what that changes in searches. Cost: per learn query three searches through all
/// lists and nine through twice those that a recall of .95 takes; a pass over the ids.
Tuning tune_from_truth(const SegmentSet& set, const TuneOptions& options);

/// Tunes an opened set, whose vectors by slot are `rows`, with at most learn_count(n) of `queries`;
/// without queries, with the learn_count(n) vectors of the smallest sample_key (core/sample_key.h),
/// each left out of its own answers and each taken once where there are copies. The truth are
/// options.neighbours where they are given; else with a raw tier that of `rows`; else what a scan
/// of all lists finds with bounds of four standard deviations, and the recall that codes lose is
/// taken from `known`, the previous tuning. Below kLeastTuned vectors the set is not tuned. Throws
/// std::invalid_argument on queries of a wrong dim or that are not finite, and as neighbours_given
/// does. Cost per learn query: three searches through all lists or four, nine through twice those
/// that a recall of .95 takes, and with a raw tier n * dim operations.
Tuning tune_opened(const SegmentSet& set, const VectorSource& rows, MatrixView<float> queries,
                   const Tuning& known, const TuneOptions& options);

}  // namespace obliq
