// How good the answers of a range search are, as big-ann-benchmarks has it: average precision, the
// area under the curve of precision over recall that a lower radius draws.
//
//     at each of 100 distances, evenly from just below the least to the greatest that was found:
//       precision   share of the answers nearer than it that are true, of all queries together
//       recall      share of the true ones that are among them
//     average precision: the area below the lines between these points
//
// Answers at the greatest distance itself count at none of them: of n answers the area is at best
// about (n - 1) / n. It is 0 where nothing was found.
#pragma once

#include "datasets/range_truth.h"

namespace obliq::tools {

struct RangeQuality {
  double average_precision = 0;
  double precision = 1;  ///< of all answers; 1: there are none
  double recall = 1;     ///< of all answers; 1: nothing is true
};

/// Distances of the truth have no part in it. Throws std::invalid_argument for another number of
/// queries.
RangeQuality range_quality(const datasets::RangeAnswers& found,
                           const datasets::RangeAnswers& truth);

}  // namespace obliq::tools
