// The error of A^T B estimated from codes of A and of B (arXiv 2410.13780): Monte Carlo beside
// theory.
//
// A and B have n rows and m columns of Gaussian entries of variance 1; column j of A has
// correlation rho with column j of B, and is independent of the others. Columns are coded
// one by one, and C = A'^T B' is formed of the decoded columns, each times its least-squares factor
// <a,a'>/<a',a'>. The error is |C - A^T B|^2 / (n m^2), and
//
//     bound = |A^T B|^2/(n m^2) Gamma^2 + |A|^2 |B|^2/(n m)^2 (Gamma - Gamma^2)
//
// is what good codes of R bits per entry achieve for any matrices, Gamma = Gamma(R) of theory.h.
// It is Gamma where rho = 0, and no code can do better there.
#pragma once

#include <cstddef>
#include <cstdint>

#include "obliq/quantizer.h"

namespace obliq {

struct ProductSetting {
  std::size_t dim = 512;     ///< n
  std::size_t columns = 64;  ///< m
  std::size_t trials = 16;   ///< pairs of matrices
  double rho = 0;            ///< in [-1, 1]
  std::uint64_t seed = 1;
};

struct ProductError {
  double error;
  double bound;  ///< at the same rate, for the same matrices
};

/// Of the ideal Gaussian test channel of `bits` > 0: a' = (1 - 4^-bits)(a + Z), with Z Gaussian of
/// variance |a|^2/n / (4^bits - 1). Meets the bound where Gamma is not below its knee.
ProductError channel_product_error(double bits, const ProductSetting& setting);

/// Of a quantizer of dim setting.dim; bits() is its rate.
ProductError quantizer_product_error(const Quantizer& quantizer, const ProductSetting& setting);

}  // namespace obliq
