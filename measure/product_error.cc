#include "measure/product_error.h"

#include <cmath>
#include <functional>
#include <vector>

#include "core/kernels/dispatch.h"
#include "core/random.h"
#include "measure/theory.h"
#include "obliq/matrix_view.h"

namespace obliq {
namespace {

// A column is a row here.
Matrix<float> draw_columns(const ProductSetting& setting, Random& random) {
  Matrix<float> columns(setting.columns, setting.dim);
  for (float& value : columns.values) value = static_cast<float>(random.gaussian());
  return columns;
}

Matrix<float> draw_correlated(const Matrix<float>& a, const ProductSetting& setting,
                              Random& random) {
  const double own = std::sqrt(1 - setting.rho * setting.rho);
  Matrix<float> b = draw_columns(setting, random);
  for (std::size_t i = 0; i < b.values.size(); ++i) {
    b.values[i] = static_cast<float>(setting.rho * a.values[i] + own * b.values[i]);
  }
  return b;
}

Matrix<float> product(const Matrix<float>& a, const Matrix<float>& b) {
  Matrix<float> c(a.rows, b.rows);
  kernels().dots(a.values.data(), a.rows, b.values.data(), b.rows, a.cols, c.values.data());
  return c;
}

double norm2(const std::vector<float>& values) {
  double sum = 0;
  for (const float value : values) sum += double{value} * value;
  return sum;
}

// Replaces a column by what is left of it.
using Channel = std::function<void(float* column, Random& random)>;

ProductError product_error(double bits, const ProductSetting& setting, const Channel& channel) {
  const auto n = static_cast<double>(setting.dim);
  const auto m = static_cast<double>(setting.columns);
  const double gamma = product_distortion(bits);
  ProductError mean{0, 0};
  std::uint64_t state = setting.seed;
  for (std::size_t trial = 0; trial < setting.trials; ++trial) {
    Random random(splitmix64(state));
    Matrix<float> a = draw_columns(setting, random);
    Matrix<float> b = draw_correlated(a, setting, random);
    const Matrix<float> exact = product(a, b);
    const double apart = norm2(a.values) * norm2(b.values) / n;
    mean.bound += norm2(exact.values) * gamma * gamma + apart * (gamma - gamma * gamma);
    for (Matrix<float>* matrix : {&a, &b}) {
      for (std::size_t j = 0; j < matrix->rows; ++j) channel(matrix->row(j), random);
    }
    Matrix<float> difference = product(a, b);
    for (std::size_t i = 0; i < difference.values.size(); ++i) {
      difference.values[i] -= exact.values[i];
    }
    mean.error += norm2(difference.values);
  }
  const double unit = n * m * m * static_cast<double>(setting.trials);
  return {mean.error / unit, mean.bound / unit};
}

}  // namespace

ProductError channel_product_error(double bits, const ProductSetting& setting) {
  const double distortion = shannon_distortion(bits);
  return product_error(bits, setting, [&](float* column, Random& random) {
    const float norm = kernels().dot(column, column, setting.dim);
    const double variance = norm / static_cast<double>(setting.dim);
    const double noise = std::sqrt(variance * unbiased_variance(bits));
    for (std::size_t i = 0; i < setting.dim; ++i) {
      column[i] = static_cast<float>((1 - distortion) * (column[i] + noise * random.gaussian()));
    }
  });
}

ProductError quantizer_product_error(const Quantizer& quantizer, const ProductSetting& setting) {
  std::vector<std::uint8_t> code(quantizer.layout().code_bytes);
  std::vector<float> decoded(setting.dim);
  return product_error(quantizer.bits(), setting, [&](float* column, Random&) {
    Factors factors{};
    quantizer.encode(column, code.data(), factors);
    quantizer.decode(code.data(), factors, decoded.data());
    const float both = kernels().dot(column, decoded.data(), setting.dim);
    const float own = kernels().dot(decoded.data(), decoded.data(), setting.dim);
    const float factor = own > 0 ? both / own : 0;
    for (std::size_t i = 0; i < setting.dim; ++i) column[i] = factor * decoded[i];
  });
}

}  // namespace obliq
