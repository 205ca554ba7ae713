// Seeded random rotations: orthogonal maps of dim coordinates. They keep norms and inner products
// and make the coordinates of any one vector nearly Gaussian (arXiv 2504.19874, Lemma 1), which is
// what quantizers (quantizer.h) expect of their input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "obliq/export.h"

namespace obliq {

/// An orthogonal map of `dim` floats. Immutable: share it between threads.
class OBLIQ_API Rotation {
 public:
  virtual ~Rotation() = default;
  virtual std::size_t dim() const = 0;
  /// x <- R x, in place, x [dim]. The same bits on every platform and ISA.
  virtual void apply(float* x) const = 0;
  /// x <- R^T x, in place: undoes apply() up to rounding.
  virtual void apply_inverse(float* x) const = 0;
};

/// The rotation that an index uses; `seed` draws it. Cost of apply: O(dim log dim). It is two
/// rounds of random plane rotations between the halves, then random signs and a Hadamard transform
/// on the first and on the last 2^floor(log2 dim) coordinates. Up to dim 32 it is
/// make_haar_rotation. Throws std::invalid_argument when dim is 0.
OBLIQ_API std::unique_ptr<const Rotation> make_rotation(std::size_t dim, std::uint64_t seed);

/// A Haar-distributed rotation by Gram-Schmidt (QR) of a Gaussian matrix: O(dim^2) to apply and
/// O(dim^3) to make. The reference, and what TurboQuant's paper uses. Throws as make_rotation.
OBLIQ_API std::unique_ptr<const Rotation> make_haar_rotation(std::size_t dim, std::uint64_t seed);

}  // namespace obliq
