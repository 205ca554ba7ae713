#include "index/door.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "quant/kernels/dispatch.h"

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

void normalise(float* x, std::size_t dim) {
  constexpr float kSmall = 0x1p-80F;
  constexpr float kLarge = 0x1p80F;
  float norm2 = kernels().dot(x, x, dim);
  if (!(norm2 > kSmall && norm2 < kLarge)) {
    float largest = 0;
    for (std::size_t i = 0; i < dim; ++i) largest = std::max(largest, std::abs(x[i]));
    if (largest == 0) return;
    // A power of two, which rounds nothing, brings the squares into range.
    const float power = std::ldexp(1.0F, std::clamp(-std::ilogb(largest), -126, 126));
    for (std::size_t i = 0; i < dim; ++i) x[i] *= power;
    norm2 = kernels().dot(x, x, dim);
  }
  const float inverse = 1 / std::sqrt(norm2);
  for (std::size_t i = 0; i < dim; ++i) x[i] *= inverse;
}

Door::Door(Metric metric, std::size_t dim, std::uint64_t seed)
    : metric_(metric), rotation_(make_rotation(dim, seed)), mean_(dim, 0.0F) {}

void Door::set_mean(std::vector<float> mean) {
  if (metric_ != Metric::ip) mean_ = std::move(mean);
}

void Door::enter(float* x) const {
  if (metric_ == Metric::cosine) normalise(x, dim());
  rotation_->apply(x);
  for (std::size_t i = 0; i < mean_.size(); ++i) x[i] -= mean_[i];
}

void Door::leave(float* x) const {
  for (std::size_t i = 0; i < mean_.size(); ++i) x[i] += mean_[i];
  rotation_->apply_inverse(x);
}

}  // namespace obliq
