// Beam search (the M-algorithm) in the place of successive cancellation: it keeps the `width` paths
// of least loss instead of one. From the last coordinate to the first, each path goes on with the
// five levels next to its target; level c at target t costs d_i (t - c)^2 (query_metric.h).
// Here the lanes are paths of one vector.
#pragma once

#include <cstddef>
#include <vector>

#include "quant/query_aware/query_metric.h"
#include "quant/query_aware/scalar_rounder.h"

namespace obliq {

/// y [dim][16]: the 16 best of the last paths for s x, dim floats, the best first; where there are
/// fewer, the best again. Requires blocks of one coordinate and width >= 16, a multiple of 16.
/// Cost: about width / 16 * (dim^2 / 2 multiplications of 16 lanes, and copies of paths).
std::vector<float> beam_search(const QueryMetric& metric, const ScalarRounder& rounder,
                               const float* x, float scale, std::size_t width);

}  // namespace obliq
