// Seeded random rotations: orthogonal d x d maps that make any vector's coordinates nearly
// Gaussian (coordinate law: arXiv 2504.19874, Lemma 1).
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
  /// x <- R x, in place. Same bits on every platform and SIMD level.
  virtual void apply(float* x) const = 0;
  /// x <- R^T x, in place.
  virtual void apply_inverse(float* x) const = 0;
};

/// The rotation that an index uses. O(d log d): two rounds of random plane rotations between the
/// halves and of random signs with a Hadamard transform on the power-of-two windows at the start
/// and at the end. Up to dim 32 it is the dense one. Throws std::invalid_argument when dim is 0.
OBLIQ_API std::unique_ptr<const Rotation> make_rotation(std::size_t dim, std::uint64_t seed);

/// A Haar-distributed rotation by Gram-Schmidt (QR) of a Gaussian matrix: O(d^2) to apply and
/// O(d^3) to make. The reference in tests, and the paper's own choice.
OBLIQ_API std::unique_ptr<const Rotation> make_haar_rotation(std::size_t dim, std::uint64_t seed);

}  // namespace obliq
