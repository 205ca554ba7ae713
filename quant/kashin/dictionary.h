// An overcomplete dictionary of M orthonormal bases, B_0 = I and B_1 .. B_{M-1} drawn from a seed:
//
//     x ~ sum_m B_m y_m,    A = [I; B_1^T; ..],    x = A^T y
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/basis.h"

namespace obliq {

class Dictionary {
 public:
  /// Requires dim >= 1 and bases >= 1. No basis is the rotation that make_rotation draws from
  /// `seed`.
  Dictionary(BasisKind kind, std::size_t dim, std::size_t bases, std::uint64_t seed);

  std::size_t dim() const { return dim_; }
  std::size_t bases() const { return 1 + others_.size(); }
  /// Basis m, 1 <= m < bases().
  const Rotation& basis(std::size_t m) const { return *others_[m - 1]; }

  /// x <- B_m x, and x <- B_m^T x, in place.
  void apply(std::size_t m, float* x) const {
    if (m > 0) basis(m).apply(x);
  }
  void apply_inverse(std::size_t m, float* x) const {
    if (m > 0) basis(m).apply_inverse(x);
  }

  /// out <- A x, [bases][dim].
  void analyse(const float* x, float* out) const;
  /// x <- A^T y for y [bases][dim].
  void synthesise(const float* y, float* x) const;

 private:
  std::size_t dim_;
  std::vector<BasisPtr> others_;
};

}  // namespace obliq
