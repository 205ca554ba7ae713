// ip brings a query to the typical norm of the base, so that the answer does not depend on its
// length; cosine distances are half of those between unit vectors.
#include "index/search/prepared_query.h"

#include <algorithm>
#include <cmath>

#include "core/kernels/dispatch.h"
#include "core/prefetch.h"
#include "core/safe_norm.h"

namespace obliq {

PreparedQuery::PreparedQuery(const Segment& segment)
    : segment_(segment),
      raw_(segment.dim()),
      transformed_(segment.dim()),
      scan_(segment.dim()),
      centroids_(segment.dim()),
      scorer_(segment.quantizer->make_scorer()) {}

void PreparedQuery::set(const float* query) {
  if (segment_.info.n == 0) return;
  transform(query);
  scan_.set(transformed_.data());
  scorer_->set_query(transformed_.data());
  centroids_.set(transformed_.data(), scorer_->byte_query());
}

void PreparedQuery::transform(const float* query) {
  const std::size_t dim = segment_.dim();
  const Metric metric = segment_.metric();
  std::copy_n(query, dim, raw_.data());
  if (metric == Metric::cosine) normalise(raw_.data(), dim);
  std::copy_n(raw_.data(), dim, transformed_.data());
  segment_.transform->apply(transformed_.data());
  slope_ = 1;
  offset_ = 0;
  const float norm = std::sqrt(kernels().dot(raw_.data(), raw_.data(), dim));
  if (metric == Metric::cosine) {
    slope_ = 0.5F;
    offset_ = norm > 0 ? 0.0F : 0.5F;
  }
  if (metric == Metric::ip && norm > 0) {
    const float stretch = segment_.info.typical_norm / norm;
    if (!std::isnormal(stretch)) return;
    for (float& value : transformed_) value *= stretch;
    slope_ = 1 / stretch;
  }
}

ListView PreparedQuery::view_of(const Probe& probe) const {
  return {&segment_.lists[probe.list], slope_ * probe.base + offset_, std::sqrt(probe.distance2)};
}

void PreparedQuery::fetch() const { prefetch(scan_.lut(), scan_.bytes()); }

}  // namespace obliq
