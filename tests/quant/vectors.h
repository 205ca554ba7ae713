// Random vectors and spectra for the tests of quantizers, and sums over them in double.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/random.h"
#include "obliq/matrix_view.h"

namespace obliq::test_vectors {

inline double dot(const std::vector<float>& x, const std::vector<float>& y) {
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += double{x[i]} * y[i];
  return sum;
}

inline double norm2(const std::vector<float>& x) { return dot(x, x); }

inline std::vector<float> gaussian_vector(std::size_t dim, Random& random) {
  std::vector<float> x(dim);
  for (float& value : x) value = static_cast<float>(random.gaussian());
  return x;
}

/// Of squared norm dim, any direction.
inline std::vector<float> sphere_vector(std::size_t dim, Random& random) {
  std::vector<float> x = gaussian_vector(dim, random);
  const double scale = std::sqrt(static_cast<double>(dim) / norm2(x));
  for (float& value : x) value = static_cast<float>(value * scale);
  return x;
}

inline Matrix<float> gaussian_rows(std::size_t rows, std::size_t dim, std::uint64_t seed) {
  Random random(seed);
  Matrix<float> x(rows, dim);
  for (float& value : x.values) value = static_cast<float>(random.gaussian());
  return x;
}

/// Eigenvalues i^-alpha, scaled to mean 1.
inline std::vector<double> power_law(std::size_t n, double alpha) {
  std::vector<double> spectrum(n);
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) {
    spectrum[i] = std::pow(static_cast<double>(i + 1), -alpha);
    sum += spectrum[i];
  }
  for (double& value : spectrum) value *= static_cast<double>(n) / sum;
  return spectrum;
}

}  // namespace obliq::test_vectors
