#include "quant/integer_query.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/kernels/dispatch.h"
#include "core/largest.h"

namespace obliq {
namespace {

constexpr double kMaxValue = 8191;  // 14 bits with the sign

// sum |x_i|. Lanes, because one running sum waits for itself.
double sum_of_sizes(const float* x, std::size_t dim) {
  constexpr std::size_t kWidth = 8;
  double sum[kWidth] = {};
  for (std::size_t i = 0; i < dim; ++i) sum[i % kWidth] += std::abs(x[i]);
  return std::accumulate(sum, sum + kWidth, 0.0);
}

}  // namespace

// Rounding lifts a sum of dim sizes by at most dim/2, and never beyond twice the sum (what rounds
// to something is at least 1/2): the second serves dims beyond a million.
IntegerQuery::IntegerQuery(std::size_t dim, int max_code) : values_(dim) {
  const double limit = std::floor(double{0x7FFFFFFF} / max_code);
  max_sum_ = std::max(limit - static_cast<double>(dim) / 2, limit / 2);
}

void IntegerQuery::set(const float* query) {
  const double largest = largest_size(query, dim());
  if (largest == 0) {
    std::fill(values_.begin(), values_.end(), std::int16_t{0});
    step_ = 0;
    return;
  }
  double scale = kMaxValue / largest;
  if (kMaxValue * static_cast<double>(dim()) > max_sum_) {
    scale = std::min(scale, max_sum_ / sum_of_sizes(query, dim()));
  }
  kernels().quantize_words(query, dim(), scale, values_.data());
  step_ = static_cast<float>(1 / scale);
}

}  // namespace obliq
