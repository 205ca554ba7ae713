// The key by which lists are ranked for a query:
//
//     l2, cosine   |q-c|^2 + w * mean |r|^2
//     ip           -<q,c>  - (1-w)/2 * mean |r|^2      (the same order on unit vectors)
//
// because a wide list holds near neighbours more often than its centroid's distance tells. w is
// learnt (build/list_weight.h).
#pragma once

#include <cstddef>

#include "core/kernels/dispatch.h"
#include "obliq/metric.h"

namespace obliq {

/// The part of a key that depends on the query: |q-c|^2, for ip -<q,c>.
inline float centroid_distance(Metric metric, const float* q, const float* c, std::size_t dim) {
  return metric == Metric::ip ? -kernels().dot(q, c, dim) : kernels().l2_sqr(q, c, dim);
}

/// What a list's radius adds to its key.
inline float radius_term(Metric metric, float weight, float mean_r2) {
  return metric == Metric::ip ? -0.5F * (1 - weight) * mean_r2 : weight * mean_r2;
}

}  // namespace obliq
