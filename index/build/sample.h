// The sample that a build learns from: rows spread evenly over the base.
#pragma once

#include "index/build/build_plan.h"
#include "index/build/staged_vectors.h"

namespace obliq {

/// Rows of the base, in their order: as many as k-means takes or, where centroids are given, as the
/// mean and the quantizer need. Those that tuning asks with are left
/// out where that costs little, so that k-means does not know them. Reads the base once, in order.
/// Throws std::invalid_argument naming a row that is not finite.
StagedVectors take_sample(const BuildPlan& plan);

}  // namespace obliq
