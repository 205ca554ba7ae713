// The sample that a model is learnt from: the vectors of the smallest sample keys
// (core/sample_key.h), in the order of their keys, so that each of its beginnings is a sample, too.
#pragma once

#include <cstdint>
#include <vector>

#include "index/build/build_plan.h"
#include "index/build/staged_vectors.h"
#include "obliq/matrix_view.h"

namespace obliq {

struct Sample {
  StagedVectors rows;  ///< without the learn queries
  Matrix<float> learn;
  std::vector<std::int64_t> learn_ids;  ///< -1: no base vector
};

/// Reads the plan's vectors once, in order. Throws std::invalid_argument naming a row that is not
/// finite.
Sample take_sample(const BuildPlan& plan);

}  // namespace obliq
