// One-bit sketches of a vector r (QJL, arXiv 2406.03482; TurboQuant, arXiv 2504.19874, Definition
// 1): the signs z of S r, which stand for |r| * scale() * S^T z, unbiased over S.
//
//     gaussian     S is dim x dim of independent N(0,1):  scale = sqrt(pi/2) / dim. O(dim^2).
//     orthogonal   S is a random rotation:                scale = 1 / (dim E|u_1|) for a random
//                  unit vector u, exact for every dim (the limit is sqrt(pi/(2 dim))); pi/2 - 1
//                  instead of pi/2 of variance. O(dim log dim).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace obliq {

class Sketch {
 public:
  virtual ~Sketch() = default;
  /// out <- S x, dim floats each.
  virtual void project(const float* x, float* out) const = 0;
  /// out <- S^T z.
  virtual void project_back(const float* z, float* out) const = 0;
  virtual float scale() const = 0;
};

std::unique_ptr<const Sketch> make_gaussian_sketch(std::size_t dim, std::uint64_t seed);
std::unique_ptr<const Sketch> make_orthogonal_sketch(std::size_t dim, std::uint64_t seed);

}  // namespace obliq
