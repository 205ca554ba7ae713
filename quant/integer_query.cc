#include "quant/integer_query.h"

#include <algorithm>
#include <cmath>

namespace obliq {
namespace {

constexpr double kMaxValue = 8191;        // 14 bits with the sign
constexpr double kRoundMagic = 0x1.8p52;  // adding and subtracting it rounds to even
constexpr std::int64_t kMaxProduct = 0x7FFFFFFF;

}  // namespace

IntegerQuery::IntegerQuery(std::size_t dim, int max_code)
    : values_(dim), max_sum_(kMaxProduct / max_code) {}

void IntegerQuery::set(const float* query) {
  double largest = 0;
  double sum = 0;
  for (std::size_t i = 0; i < values_.size(); ++i) {
    const double size = std::abs(static_cast<double>(query[i]));
    largest = std::max(largest, size);
    sum += size;
  }
  if (largest == 0) {
    std::fill(values_.begin(), values_.end(), std::int16_t{0});
    step_ = 0;
    return;
  }
  double scale = std::min(kMaxValue / largest, static_cast<double>(max_sum_) / sum);
  // Rounding may lift the sum by half a step a dimension.
  while (round_values(query, scale) > max_sum_) scale *= 0.995;
  step_ = static_cast<float>(1 / scale);
}

std::int64_t IntegerQuery::round_values(const float* query, double scale) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < values_.size(); ++i) {
    const double rounded = (query[i] * scale + kRoundMagic) - kRoundMagic;
    const auto value = static_cast<std::int32_t>(rounded);
    values_[i] = static_cast<std::int16_t>(value);
    sum += std::abs(value);
  }
  return sum;
}

}  // namespace obliq
