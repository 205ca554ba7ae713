// The vector transform of a build: its scale and its mean, learnt from the sample.
#pragma once

#include <cstddef>
#include <memory>

#include "index/build/build_plan.h"
#include "index/build/staged_vectors.h"
#include "index/segment/vector_transform.h"

namespace obliq {

/// Learns from `sample`, rows as they were given, and brings them through the transform. The scale
/// makes the largest coordinate of the median row at least 1 and below 2; so a base times a power
/// of two is the same base behind it. The mean is that of the rows that are not far longer than the
/// others. Throws std::invalid_argument naming a row where squared distances would be no normal
/// floats, or overflow.
std::unique_ptr<VectorTransform> learn_transform(const BuildPlan& plan, StagedVectors& sample);

/// Whether squared distances of vectors of this |x|^2, scaled, are floats.
bool is_bounded(float norm2);

/// |x|^2. Throws std::invalid_argument naming a row of the base when x, that row scaled, is so much
/// longer than most that its squared distances overflow.
float bounded_norm2(const float* x, std::size_t dim, std::size_t row);

}  // namespace obliq
