#include "quant/scalar/sketch.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "core/kernels/dispatch.h"
#include "core/random.h"
#include "obliq/rotation.h"
#include "quant/codebook.h"

namespace obliq {
namespace {

// Keeps the draws of a sketch apart from those of the index's own rotation.
constexpr std::uint64_t kSketchStream = 0x536B65746368ULL;

class GaussianSketch final : public Sketch {
 public:
  GaussianSketch(std::size_t dim, std::uint64_t seed)
      : kernels_(kernels()), dim_(dim), rows_(dim * dim) {
    Random random(seed ^ kSketchStream);
    for (float& value : rows_) value = static_cast<float>(random.gaussian());
  }

  void project(const float* x, float* out) const override {
    for (std::size_t i = 0; i < dim_; ++i) out[i] = kernels_.dot(&rows_[i * dim_], x, dim_);
  }

  void project_back(const float* z, float* out) const override {
    std::fill_n(out, dim_, 0.0F);
    for (std::size_t i = 0; i < dim_; ++i) {
      for (std::size_t j = 0; j < dim_; ++j) out[j] += z[i] * rows_[i * dim_ + j];
    }
  }

  float scale() const override {
    return static_cast<float>(std::sqrt(std::numbers::pi / 2) / static_cast<double>(dim_));
  }

 private:
  const Kernels& kernels_;
  std::size_t dim_;
  std::vector<float> rows_;
};

class OrthogonalSketch final : public Sketch {
 public:
  OrthogonalSketch(std::size_t dim, std::uint64_t seed)
      : rotation_(make_rotation(dim, seed ^ kSketchStream)),
        scale_(static_cast<float>(1 / (static_cast<double>(dim) * mean_abs_coordinate(dim)))) {}

  void project(const float* x, float* out) const override {
    std::copy_n(x, rotation_->dim(), out);
    rotation_->apply(out);
  }

  void project_back(const float* z, float* out) const override {
    std::copy_n(z, rotation_->dim(), out);
    rotation_->apply_inverse(out);
  }

  float scale() const override { return scale_; }

 private:
  std::unique_ptr<const Rotation> rotation_;
  float scale_;
};

}  // namespace

std::unique_ptr<const Sketch> make_gaussian_sketch(std::size_t dim, std::uint64_t seed) {
  return std::make_unique<GaussianSketch>(dim, seed);
}

std::unique_ptr<const Sketch> make_orthogonal_sketch(std::size_t dim, std::uint64_t seed) {
  return std::make_unique<OrthogonalSketch>(dim, seed);
}

}  // namespace obliq
