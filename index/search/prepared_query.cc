// l2 scales a query as the base, so that a distance is that behind the transform over scale^2; ip
// brings it to the typical norm of the base, so that the answer does not depend on its length;
// cosine distances are half of those between unit vectors.
#include "index/search/prepared_query.h"

#include <algorithm>
#include <cmath>

#include "core/kernels/dispatch.h"
#include "core/largest.h"
#include "core/prefetch.h"
#include "core/safe_norm.h"

namespace obliq {

PreparedQuery::PreparedQuery(const TrainedModel& model)
    : model_(model),
      raw_(model.dim()),
      transformed_(model.dim()),
      scan_(model.dim()),
      centroids_(model.dim()),
      scorer_(model.quantizer->make_scorer()) {}

void PreparedQuery::set(const float* query) {
  if (model_.nlist() == 0) return;
  transform(query);
  scan_.set(transformed_.data());
  scorer_->set_query(transformed_.data());
  centroids_.set(transformed_.data(), scorer_->byte_query());
}

void PreparedQuery::transform(const float* query) {
  const std::size_t dim = model_.dim();
  const VectorTransform& transform = *model_.transform;
  std::copy_n(query, dim, raw_.data());
  slope_ = 1;
  offset_ = 0;
  switch (model_.metric()) {
    case Metric::cosine:
      normalise(raw_.data(), dim);
      slope_ = 0.5F;
      offset_ = largest_size(query, dim) > 0 ? 0.0F : 0.5F;
      raw_slope_ = 1;
      break;
    case Metric::l2: {
      const float scale = transform.scale() * shrinking(query);
      for (float& value : raw_) value *= scale;
      raw_slope_ = slope_ = 1 / scale / scale;
      break;
    }
    case Metric::ip:
      raw_slope_ = 1 / transform.scale();
      break;
  }
  std::copy_n(raw_.data(), dim, transformed_.data());
  if (model_.metric() == Metric::ip) stretch(query);
  transform.centre(transformed_.data());
  transform.rotate(transformed_.data());
}

// A query so much longer than the base that its squares might overflow behind the scale is made
// shorter: it is then still so long that no float tells its distances apart.
float PreparedQuery::shrinking(const float* query) const {
  constexpr int kMostScaled = 40;
  const float scale = model_.transform->scale();
  if (scale <= 1) return 1;
  const float largest = largest_size(query, model_.dim());
  // The exponent of the product, which may itself be beyond the floats.
  const int exponent = largest > 0 ? std::ilogb(largest) + std::ilogb(scale) : 0;
  if (exponent < kMostScaled) return 1;
  return std::ldexp(1.0F, std::max(kMostScaled - exponent, -126));
}

// Brings a query of ip to the typical norm of the base.
void PreparedQuery::stretch(const float* query) {
  const std::size_t dim = model_.dim();
  const float largest = largest_size(query, dim);
  if (largest == 0) return;
  const int exponent = std::clamp(std::ilogb(largest), -126, 126);
  const float power = std::ldexp(1.0F, -exponent);  // rounds nothing, so that the norm is no zero
  for (float& value : transformed_) value *= power;
  const float norm = std::sqrt(kernels().dot(transformed_.data(), transformed_.data(), dim));
  const float factor = model_.info.typical_norm / norm;
  for (float& value : transformed_) value *= factor;
  slope_ = std::ldexp(1 / factor, exponent) / model_.transform->scale();
}

ListView PreparedQuery::view_of(const Probe& probe) const {
  return {slope_ * probe.base + offset_, std::sqrt(probe.distance2)};
}

void PreparedQuery::fetch() const { prefetch(scan_.lut(), scan_.bytes()); }

}  // namespace obliq
