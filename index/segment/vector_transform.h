// The vector transform: what happens to every vector before it meets the index. Base, centroids and
// queries are rotated once here; cosine vectors are made unit; for l2 and cosine the mean of the
// base is taken off, which keeps factors and LUT small. After it:
//
//     l2       |q-x|^2
//     cosine   1 - <q,x> = (|q-x|^2 + 2 - |q|^2 - |x|^2) / 2 on unit vectors
//     ip       -<q,x>, with q brought to the typical norm of the base, so that the answer does not
//              depend on the query's length
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
/// the first value that is NaN or infinite, or the row whose squared norm overflows a float.
void require_finite(MatrixView<float> vectors, std::string_view what, std::size_t first_row = 0);

class VectorTransform {
 public:
  VectorTransform(Metric metric, std::size_t dim, std::uint64_t seed);

  std::size_t dim() const { return rotation_->dim(); }
  Metric metric() const { return metric_; }
  const Rotation& rotation() const { return *rotation_; }
  const std::vector<float>& mean() const { return mean_; }
  /// Sets the rotated mean that is taken off from now on; ip takes none off.
  void set_mean(std::vector<float> mean);

  /// In place: normalises (cosine), rotates and centres one vector.
  void apply(float* x) const;
  /// Rotates back one centred vector: the reverse of apply, up to the norm.
  void apply_inverse(float* x) const;

 private:
  Metric metric_;
  std::unique_ptr<const Rotation> rotation_;
  std::vector<float> mean_;
};

}  // namespace obliq
