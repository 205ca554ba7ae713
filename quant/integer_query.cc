#include "quant/integer_query.h"

#include <algorithm>
#include <cmath>

namespace obliq {
namespace {

constexpr double kMaxValue = 8191;        // 14 bits with the sign
constexpr double kRoundMagic = 0x1.8p52;  // adding and subtracting it rounds to even

struct Size {
  double largest;
  double sum;
};

// Of |query|. Lanes, because one running sum waits for itself.
Size size_of(const std::vector<std::int16_t>& values, const float* query) {
  constexpr std::size_t kWidth = 8;
  float largest[kWidth] = {};
  double sum[kWidth] = {};
  const std::size_t whole = values.size() / kWidth * kWidth;
  const auto add = [&](std::size_t i, std::size_t lane) {
    const float size = std::abs(query[i]);
    largest[lane] = largest[lane] < size ? size : largest[lane];
    sum[lane] += size;
  };
  for (std::size_t i = 0; i < whole; i += kWidth) {
    for (std::size_t lane = 0; lane < kWidth; ++lane) add(i + lane, lane);
  }
  for (std::size_t i = whole; i < values.size(); ++i) add(i, i - whole);
  Size size{0, 0};
  for (std::size_t lane = 0; lane < kWidth; ++lane) {
    size.largest = std::max(size.largest, double{largest[lane]});
    size.sum += sum[lane];
  }
  return size;
}

}  // namespace

// Rounding lifts a sum of dim sizes by at most dim/2, and never beyond twice the sum (what rounds
// to something is at least 1/2): the second serves dims beyond a million.
IntegerQuery::IntegerQuery(std::size_t dim, int max_code) : values_(dim) {
  const double limit = std::floor(double{0x7FFFFFFF} / max_code);
  max_sum_ = std::max(limit - static_cast<double>(dim) / 2, limit / 2);
}

void IntegerQuery::set(const float* query) {
  const Size size = size_of(values_, query);
  if (size.largest == 0) {
    std::fill(values_.begin(), values_.end(), std::int16_t{0});
    step_ = 0;
    return;
  }
  const double scale = std::min(kMaxValue / size.largest, max_sum_ / size.sum);
  for (std::size_t i = 0; i < values_.size(); ++i) {
    const double rounded = (query[i] * scale + kRoundMagic) - kRoundMagic;
    values_[i] = static_cast<std::int16_t>(static_cast<std::int32_t>(rounded));
  }
  step_ = static_cast<float>(1 / scale);
}

}  // namespace obliq
