// The distance of two vectors in each metric, from their coordinates: what exact neighbours, raw
// tiers and ground truth compare by. Cosine is half the squared distance of unit vectors: 1 - <q,x>
// would lose all neighbours nearer than 1e-7 in its rounding.
#pragma once

#include <cstddef>

#include "obliq/metric.h"

namespace obliq {

/// The distance of q and x, dim floats each; for cosine both of unit length, or zero: a zero vector
/// is at distance 1 from every other. By kernels of fixed order: the same on every ISA. Relative
/// error: about dim/64 roundings; ip: of |q||x|.
float exact_distance(Metric metric, const float* q, const float* x, std::size_t dim);

}  // namespace obliq
