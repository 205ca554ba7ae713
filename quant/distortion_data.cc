// The synthetic data that distortion is measured on: rows drawn one by one, each from its own seed.
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <functional>
#include <stdexcept>

#include "quant/distortion.h"
#include "quant/random.h"

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

FillRow power_law(std::string_view data, std::string_view exponent) {
  double alpha = 0;
  const auto [end, error] =
      std::from_chars(exponent.data(), exponent.data() + exponent.size(), alpha);
  if (error != std::errc() || end != exponent.data() + exponent.size() || !(std::abs(alpha) < 16)) {
    throw std::invalid_argument(
        fmt::format("data '{}' needs an exponent below 16, as in powerlaw:1", data));
  }
  return [alpha](float* row, std::size_t dim, Random& random) {
    for (std::size_t i = 0; i < dim; ++i) {
      const double deviation = std::pow(static_cast<double>(i + 1), -alpha / 2);
      row[i] = static_cast<float>(deviation * random.gaussian());
    }
  };
}

FillRow row_filler(std::string_view data) {
  constexpr std::string_view kPowerLaw = "powerlaw:";
  if (data == "gaussian") return fill_gaussian;
  if (data == "sphere") return fill_sphere;
  if (data == "sparse") return fill_sparse;
  if (data.starts_with(kPowerLaw)) return power_law(data, data.substr(kPowerLaw.size()));
  throw std::invalid_argument(
      fmt::format("unknown data '{}'; valid are sphere, gaussian, sparse, powerlaw:A", data));
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

}  // namespace obliq
