// The vector transform: what happens to every vector before it meets the index. Base, centroids and
// queries go through it; residuals, codes and factors live behind it. Three steps:
//
//     scale    a power of two, which rounds nothing, brings coordinates near 1, so that no square
//              leaves the normal floats; cosine vectors are made unit instead
//     centre   the mean is taken off (l2, cosine), which keeps factors and LUT small. This comes
//              before the rotation, whose rounding is relative to what it rotates
//     rotate
//
// A distance of the metric, of vectors behind the transform:
//
//     l2       |q-x|^2 / scale^2
//     cosine   1 - <q,x> = |q-x|^2 / 2 on unit vectors; 1 where one of them is zero
//     ip       -<q,x> / scale, with q brought to the typical norm of the base, so that the answer
//              does not depend on the query's length
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "core/safe_norm.h"
#include "obliq/matrix_view.h"
#include "obliq/metric.h"
#include "obliq/rotation.h"

namespace obliq {

/// Throws std::invalid_argument naming `what`, the row (counted from first_row) and the column of
/// the first value that is NaN or infinite, or the row whose squared distances overflow a float;
/// cosine has no such rows, since lengths mean nothing.
void require_finite(MatrixView<float> vectors, std::string_view what, std::size_t first_row = 0,
                    Metric metric = Metric::l2);

class VectorTransform {
 public:
  /// The scale is 1 and the mean zero.
  VectorTransform(Metric metric, std::size_t dim, std::uint64_t seed);

  std::size_t dim() const { return rotation_->dim(); }
  Metric metric() const { return metric_; }
  float scale() const { return scale_; }
  const std::vector<float>& mean() const { return mean_; }
  /// Sets the scale, a power of two; cosine leaves it at 1.
  void set_scale(float scale);
  /// Sets the mean of scaled vectors, [dim], that is taken off from now on; ip takes none off.
  void set_mean(std::vector<float> mean);

  /// In place: all three steps, of dim floats.
  void apply(float* x) const;
  /// The steps one by one.
  void scale(float* x) const;
  void centre(float* x) const;
  void rotate(float* x) const { rotation_->apply(x); }

  /// In place, the reverse of apply, up to the norm of cosine vectors.
  void apply_inverse(float* x) const;
  /// The reverse of `scale` and of `centre`.
  void unscale(float* x) const;
  void uncentre(float* x) const;

 private:
  Metric metric_;
  float scale_ = 1;
  std::unique_ptr<const Rotation> rotation_;
  std::vector<float> mean_;
};

}  // namespace obliq
