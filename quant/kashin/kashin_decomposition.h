// Kashin's decomposition x ~ u + Q v of a vector over two orthonormal bases with flat factors,
// max|u_i| and max|v_i| about 1.5 |x|/sqrt(n) where Gaussian coordinates reach 3 to 4.
//
//     step on u:  u += (|r|_1 / n) sign(r),           r = x - u - Q v
//     step on v:  v += (|Q^T r|_1 / n) sign(Q^T r)
//
// Each takes the projection of the residual on a sign vector away, exactly:
// |r'|^2 = |r|^2 - |r|_1^2 / n, for Gaussian residuals a factor 1 - 2/pi = .363.
//
//     greedy        the step with the larger l1 norm (arXiv 2404.09737, Algorithm 1)
//     alternating   blocks of two steps on u and two on v, so that each factor gathers in four
//                   peaks +-c1 +-c2 each (Cherniuk, Rudikov, Kashin, Oseledets 2026)
#pragma once

#include <cstddef>
#include <vector>

#include "obliq/rotation.h"

namespace obliq {

struct KashinDecomposition {
  std::vector<float> u;
  std::vector<float> v;
  std::vector<double> energies;  ///< |r|^2 before the first step and after each
};

struct KashinOptions {
  double tolerance = 1e-6;      ///< stops when |r| < tolerance |x|
  std::size_t max_steps = 200;  ///< stops after this number of steps
};

/// Decompose x, basis.dim() finite floats whose squares do not overflow; a zero vector takes no
/// step. Cost: one apply of the basis per step (alternating: two in four steps); 28 steps to 1e-6
/// for Gaussian x.
KashinDecomposition decompose_greedy(const float* x, const Rotation& basis,
                                     const KashinOptions& options = {});
KashinDecomposition decompose_alternating(const float* x, const Rotation& basis,
                                          const KashinOptions& options = {});

}  // namespace obliq
