// A zero vector shows itself: half its squared distance to a unit vector is 1/2, and to another
// zero vector 0. Only then is it looked for.
#include "core/exact_distance.h"

#include <cmath>

#include "core/kernels/dispatch.h"
#include "core/largest.h"

namespace obliq {
namespace {

float unit_distance(const float* q, const float* x, std::size_t dim) {
  constexpr float kFromZero = 0.5F;
  constexpr float kRounding = 1e-3F;  // more than that of a length near 1, at any dim
  const float distance = kernels().l2_sqr(q, x, dim) / 2;
  const bool suspect = distance == 0 || std::abs(distance - kFromZero) < kRounding;
  return suspect && (largest_size(q, dim) == 0 || largest_size(x, dim) == 0) ? 1.0F : distance;
}

}  // namespace

float exact_distance(Metric metric, const float* q, const float* x, std::size_t dim) {
  if (metric == Metric::cosine) return unit_distance(q, x, dim);
  return metric == Metric::l2 ? kernels().l2_sqr(q, x, dim) : -kernels().dot(q, x, dim);
}

}  // namespace obliq
