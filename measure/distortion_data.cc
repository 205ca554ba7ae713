// The synthetic data that distortion is measured on: rows drawn one by one, each from its own seed.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <functional>
#include <stdexcept>

#include "core/random.h"
#include "measure/distortion.h"

namespace obliq {
namespace {

using FillRow = std::function<void(float* row, std::size_t dim, Random& random)>;

void fill_gaussian(float* row, std::size_t dim, Random& random) {
  for (std::size_t i = 0; i < dim; ++i) row[i] = static_cast<float>(random.gaussian());
}

void fill_sphere(float* row, std::size_t dim, Random& random) {
  fill_gaussian(row, dim, random);
  double norm2 = 0;
  for (std::size_t i = 0; i < dim; ++i) norm2 += double{row[i]} * row[i];
  for (std::size_t i = 0; i < dim; ++i) row[i] = static_cast<float>(row[i] / std::sqrt(norm2));
}

void fill_sparse(float* row, std::size_t dim, Random& random) {
  constexpr std::size_t kOneIn = 16;
  for (std::size_t i = 0; i < (dim + kOneIn - 1) / kOneIn; ++i) {
    row[random.below(dim)] = static_cast<float>(random.gaussian());
  }
}

void fill_onehot(float* row, std::size_t dim, Random& random) {
  row[random.below(dim)] = random.next() % 2 == 0 ? 1.0F : -1.0F;
}

constexpr std::string_view kPowerLaw = "powerlaw:";

// The A of "powerlaw:A".
double exponent_of(std::string_view data) {
  const std::string_view exponent = data.substr(std::min(kPowerLaw.size(), data.size()));
  double alpha = 0;
  const auto [end, error] =
      std::from_chars(exponent.data(), exponent.data() + exponent.size(), alpha);
  if (!data.starts_with(kPowerLaw) || error != std::errc() ||
      end != exponent.data() + exponent.size() || !(std::abs(alpha) < 16)) {
    throw std::invalid_argument(
        fmt::format("data '{}' needs an exponent below 16, as in powerlaw:1", data));
  }
  return alpha;
}

double power(std::size_t i, double alpha) { return std::pow(static_cast<double>(i + 1), -alpha); }

FillRow row_filler(std::string_view data) {
  if (data == "gaussian") return fill_gaussian;
  if (data == "sphere") return fill_sphere;
  if (data == "sparse") return fill_sparse;
  if (data == "onehot") return fill_onehot;
  if (data.starts_with(kPowerLaw)) {
    return [half = exponent_of(data) / 2](float* row, std::size_t dim, Random& random) {
      for (std::size_t i = 0; i < dim; ++i) {
        row[i] = static_cast<float>(power(i, half) * random.gaussian());
      }
    };
  }
  throw std::invalid_argument(fmt::format(
      "unknown data '{}'; valid are sphere, gaussian, sparse, onehot, powerlaw:A", data));
}

}  // namespace

Matrix<float> distortion_data(std::string_view data, std::size_t dim, std::size_t samples,
                              std::uint64_t seed) {
  const FillRow fill = row_filler(data);
  Matrix<float> matrix(samples, dim);
  std::uint64_t state = seed;
  for (std::size_t i = 0; i < samples; ++i) {
    Random random(splitmix64(state));
    fill(matrix.row(i), dim, random);
  }
  return matrix;
}

bool is_distortion_data(std::string_view data) {
  constexpr std::array<std::string_view, 4> kNames = {"sphere", "gaussian", "sparse", "onehot"};
  return std::find(kNames.begin(), kNames.end(), data) != kNames.end() ||
         data.starts_with(kPowerLaw);
}

QueryLaw power_law_queries(std::string_view data, std::size_t dim) {
  const double alpha = exponent_of(data);
  QueryLaw law{Matrix<double>(dim, dim), std::vector<double>(dim)};
  for (std::size_t i = 0; i < dim; ++i) law.moment.row(i)[i] = power(i, alpha);
  return law;
}

}  // namespace obliq
