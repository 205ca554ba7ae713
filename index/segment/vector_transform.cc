// Normalizing (cosine), rotating and subtracting the mean are one pass per vector each; the reverse
// undoes the last two.
#include "index/segment/vector_transform.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "core/kernels/dispatch.h"

namespace obliq {

void require_finite(MatrixView<float> vectors, std::string_view what, std::size_t first_row) {
  const auto& kernel = kernels();
  for (std::size_t i = 0; i < vectors.rows; ++i) {
    const float* x = vectors.row(i);
    if (std::isfinite(kernel.dot(x, x, vectors.cols))) continue;
    for (std::size_t j = 0; j < vectors.cols; ++j) {
      if (!std::isfinite(x[j])) {
        throw std::invalid_argument(fmt::format("{} {} holds {} in column {}; remove or replace it",
                                                what, first_row + i,
                                                std::isnan(x[j]) ? "NaN" : "infinity", j));
      }
    }
    throw std::invalid_argument(
        fmt::format("{} {} is too long: its squared norm overflows a float; scale the data", what,
                    first_row + i));
  }
}

VectorTransform::VectorTransform(Metric metric, std::size_t dim, std::uint64_t seed)
    : metric_(metric), rotation_(make_rotation(dim, seed)), mean_(dim, 0.0F) {}

void VectorTransform::set_mean(std::vector<float> mean) {
  if (metric_ != Metric::ip) mean_ = std::move(mean);
}

void VectorTransform::apply(float* x) const {
  if (metric_ == Metric::cosine) normalise(x, dim());
  rotation_->apply(x);
  for (std::size_t i = 0; i < mean_.size(); ++i) x[i] -= mean_[i];
}

void VectorTransform::apply_inverse(float* x) const {
  for (std::size_t i = 0; i < mean_.size(); ++i) x[i] += mean_[i];
  rotation_->apply_inverse(x);
}

}  // namespace obliq
