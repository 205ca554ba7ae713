// From a confidence to standard deviations.
#pragma once

#include <cmath>
#include <limits>
#include <numbers>

namespace obliq {

/// x with Phi(x) = p for p in (0, 1): Newton's method on the normal distribution. p = 1 gives
/// +infinity.
inline double normal_quantile(double p) {
  if (p >= 1) return std::numeric_limits<double>::infinity();
  // Start from the logistic approximation, which is close enough for Newton to converge.
  double x = std::log(p / (1 - p)) / 1.702;
  for (int i = 0; i < 60; ++i) {
    const double density = std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi);
    if (density <= 0) break;
    const double error = 0.5 * std::erfc(-x / std::numbers::sqrt2) - p;
    // Halley's correction keeps the far tails from overshooting.
    const double step = error / density;
    x -= step / (1 + x * step / 2);
    if (std::abs(step) < 1e-12) break;
  }
  return x;
}

}  // namespace obliq
