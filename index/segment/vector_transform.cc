// Each step is a pass over the vector; the reverse undoes all but the unit length.
#include "index/segment/vector_transform.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "core/kernels/dispatch.h"

namespace obliq {

void require_finite(MatrixView<float> vectors, std::string_view what, std::size_t first_row,
                    Metric metric) {
  constexpr float kMost = std::numeric_limits<float>::max() / 4;  // |q-x|^2 <= 4 max |.|^2
  const auto& kernel = kernels();
  for (std::size_t i = 0; i < vectors.rows; ++i) {
    const float* x = vectors.row(i);
    if (kernel.dot(x, x, vectors.cols) <= kMost) continue;
    for (std::size_t j = 0; j < vectors.cols; ++j) {
      if (!std::isfinite(x[j])) {
        throw std::invalid_argument(fmt::format("{} {} holds {} in column {}; remove or replace it",
                                                what, first_row + i,
                                                std::isnan(x[j]) ? "NaN" : "infinity", j));
      }
    }
    if (metric == Metric::cosine) continue;
    throw std::invalid_argument(
        fmt::format("{} {} is too long: its squared distances overflow a float; divide all vectors "
                    "and queries by a power of ten",
                    what, first_row + i));
  }
}

VectorTransform::VectorTransform(Metric metric, std::size_t dim, std::uint64_t seed)
    : metric_(metric), rotation_(make_rotation(dim, seed)), mean_(dim, 0.0F) {}

void VectorTransform::set_scale(float scale) {
  if (metric_ != Metric::cosine) scale_ = scale;
}

void VectorTransform::set_mean(std::vector<float> mean) {
  if (metric_ != Metric::ip) mean_ = std::move(mean);
}

void VectorTransform::scale(float* x) const {
  if (metric_ == Metric::cosine) {
    normalise(x, dim());
  } else if (scale_ != 1) {
    for (std::size_t i = 0; i < dim(); ++i) x[i] *= scale_;
  }
}

void VectorTransform::centre(float* x) const {
  for (std::size_t i = 0; i < mean_.size(); ++i) x[i] -= mean_[i];
}

void VectorTransform::apply(float* x) const {
  scale(x);
  centre(x);
  rotate(x);
}

void VectorTransform::unscale(float* x) const {
  for (std::size_t i = 0; scale_ != 1 && i < dim(); ++i) x[i] /= scale_;
}

void VectorTransform::uncentre(float* x) const {
  for (std::size_t i = 0; i < mean_.size(); ++i) x[i] += mean_[i];
}

void VectorTransform::apply_inverse(float* x) const {
  rotation_->apply_inverse(x);
  uncentre(x);
  unscale(x);
}

}  // namespace obliq
