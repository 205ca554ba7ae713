#include "measure/theory.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <functional>
#include <numbers>
#include <numeric>
#include <vector>

#include "quant/codebook.h"

namespace obliq {
namespace {

// The point between low and high where a rising function passes 0.
double rising_root(double low, double high, const std::function<double(double)>& f) {
  for (int step = 0; step < 200 && low < high; ++step) {
    const double middle = 0.5 * (low + high);
    (f(middle) < 0 ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

double mean(std::span<const double> spectrum, const std::function<double(double)>& f) {
  double sum = 0;
  for (const double lambda : spectrum) sum += f(lambda);
  return sum / static_cast<double>(spectrum.size());
}

std::vector<double> falling(std::span<const double> spectrum) {
  assert(!spectrum.empty());
  std::vector<double> sorted(spectrum.begin(), spectrum.end());
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  assert(sorted.back() >= 0 && sorted.front() > 0);
  return sorted;
}

// 2*4^-R - 4^-2R: Gamma where all coordinates are sent.
double full_product_distortion(double bits) {
  const double d = shannon_distortion(bits);
  return d * (2 - d);
}

// F(s) - 1 for F(s) = sum_k (1/2)_k/k! (d-1)/(d-1+2k) s^2k. A cap of angle a, s = sin a <= 1, has
// the measure s^(d-1) F(s) E|u_1|/2, and 1/F(s) is the mean of u_1 over it.
double cap_series(double dim, double sine) {
  double sum = 0;
  double term = 1;
  for (double k = 1; k < 1e6; ++k) {
    term *= (k - 0.5) / k * sine * sine;
    const double share = term * (dim - 1) / (dim - 1 + 2 * k);
    sum += share;
    if (share < 1e-17 * sum) break;
  }
  return sum;
}

double random_coding_rate(std::span<const double> spectrum, double slope) {
  return 0.5 * mean(spectrum, [slope](double l) { return std::log1p(l * slope); }) /
         std::numbers::ln2;
}

double random_coding_loss(std::span<const double> spectrum, double slope) {
  return mean(spectrum, [slope](double l) { return l / (1 + l * slope); });
}

// T > 0 at which f(T), rising in T, passes 0; searched on a logarithmic scale.
double slope_where(const std::function<double(double)>& f) {
  return std::exp(rising_root(-700, 700, [&](double u) { return f(std::exp(u)); }));
}

}  // namespace

double shannon_distortion(double bits) { return std::exp2(-2 * bits); }

double panter_dite_distortion(double bits) {
  return std::sqrt(3.0) * std::numbers::pi / 2 * shannon_distortion(bits);
}

double gap_bits(double distortion, double bits) {
  return 0.5 * std::log2(std::max(distortion, 0.0)) + bits;
}

double unbiased_variance(double bits) { return 1 / (std::exp2(2 * bits) - 1); }

double product_knee() {
  return rising_root(0.5, 2,
                     [](double r) { return r - 0.5 * std::log2(1 + 4 * r * std::numbers::ln2); });
}

double product_distortion(double bits) {
  const double knee = product_knee();
  if (bits >= knee) return full_product_distortion(bits);
  return 1 - (1 - full_product_distortion(knee)) * bits / knee;
}

double cap_distortion(std::size_t dim, double bits) {
  const auto d = static_cast<double>(dim);
  assert(dim >= 2 && bits * d >= 2);
  const double log_measure = -bits * d * std::numbers::ln2;
  const double half_mean = 0.5 * mean_abs_coordinate(dim);
  const double sine = rising_root(0, 1, [&](double s) {
    return std::log(half_mean) + (d - 1) * std::log(s) + std::log1p(cap_series(d, s)) - log_measure;
  });
  const double g = cap_series(d, sine);
  return g * (2 + g) / ((1 + g) * (1 + g));  // 1 - 1/F^2
}

// The k largest eigenvalues are above the water: log t = mean of their logarithms - 2 R n/k ln 2.
double water_filling_distortion(std::span<const double> spectrum, double bits) {
  const std::vector<double> lambdas = falling(spectrum);
  const double nats = 2 * bits * static_cast<double>(lambdas.size()) * std::numbers::ln2;
  double sum_log = 0;
  double log_level = 0;  // of few components far below what a double holds
  for (std::size_t k = 1; k <= lambdas.size() && lambdas[k - 1] > 0; ++k) {
    sum_log += std::log(lambdas[k - 1]);
    log_level = (sum_log - nats) / static_cast<double>(k);
    if (k < lambdas.size() && std::log(lambdas[k]) <= log_level) break;
  }
  const double level = std::exp(log_level);
  return mean(spectrum, [level](double l) { return std::min(l, level); });
}

// Those below the water lose all they have: t = (n D - their sum) / the number of the others.
double water_filling_bits(std::span<const double> spectrum, double distortion) {
  const std::vector<double> lambdas = falling(spectrum);
  double left = distortion * static_cast<double>(lambdas.size());
  std::size_t k = lambdas.size();
  while (k > 1 && lambdas[k - 1] * static_cast<double>(k) <= left) left -= lambdas[--k];
  const double level = left / static_cast<double>(k);
  return 0.5 * mean(spectrum, [level](double l) { return std::log2(std::max(1.0, l / level)); });
}

double random_coding_distortion(std::span<const double> spectrum, double bits) {
  return random_coding_loss(
      spectrum, slope_where([&](double t) { return random_coding_rate(spectrum, t) - bits; }));
}

double random_coding_bits(std::span<const double> spectrum, double distortion) {
  return random_coding_rate(spectrum, slope_where([&](double t) {
                              return distortion - random_coding_loss(spectrum, t);
                            }));
}

double universality_price(std::span<const double> spectrum, double distortion) {
  return random_coding_bits(spectrum, distortion) - water_filling_bits(spectrum, distortion);
}

double two_point_price(double a) {
  const double rest = 1 - a - a * a;
  assert(a > 0 && rest >= 0);
  return 0.5 * (rest * std::log2(1 + a) + a * a * std::log2(1 - rest / (1 + a))) / (1 - a);
}

double worst_price() {
  const double limit = (std::sqrt(5.0) - 1) / 2;
  const double worst = rising_root(0.01, limit - 0.01, [](double a) {
    return two_point_price(a - 1e-6) - two_point_price(a + 1e-6);  // minus the slope
  });
  return two_point_price(worst);
}

}  // namespace obliq
