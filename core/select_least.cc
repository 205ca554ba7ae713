// Keys of lists are sums of many terms, so that how many lie below a limit follows a normal law
// closely enough to guess the limit by: the first guess comes from the mean and the deviation of a
// sample, the next ones from what was counted so far. Where the values follow another law, halving
// the interval in the order of floats ends within 32 steps.
#include "core/select_least.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "core/kernels/dispatch.h"

namespace obliq {
namespace {

constexpr std::size_t kSample = 256;  // values, or up to twice as many, for the first guess
constexpr int kGuesses = 6;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// The logarithm of x > 0, within .007, by operations that are the same everywhere: a parabola from
// power to power of two.
double rough_log(double x) {
  int exponent = 0;
  const double m = 2 * std::frexp(x, &exponent);
  return .6931471805599453 * ((2 - m / 3) * m - 5.0 / 3 + (exponent - 1));
}

// How many deviations below the mean of a normal law a share of it lies, within .02 (Abramowitz and
// Stegun, Handbook of Mathematical Functions, 26.2.22). 0 < share < 1.
double depth_of(double share) {
  if (share > .5) return -depth_of(1 - share);
  const double t = std::sqrt(-2 * rough_log(share));
  return t - (2.30753 + .27061 * t) / (1 + t * (.99229 + .04481 * t));
}

struct Law {
  double mean;
  double deviation;
};

Law law_of(std::span<const float> values) {
  const std::size_t stride = std::max<std::size_t>(1, values.size() / kSample);
  constexpr std::size_t kStrands = 4;
  float sum[kStrands] = {};
  float squares[kStrands] = {};
  const float zero = values[0];
  std::size_t count = 0;
  for (std::size_t i = 0; i < values.size(); i += stride, ++count) {
    const float value = values[i] - zero;
    sum[count % kStrands] += value;
    squares[count % kStrands] += value * value;
  }
  const double n = static_cast<double>(count);
  const double mean = double{(sum[0] + sum[1]) + (sum[2] + sum[3])} / n;
  const double square = double{(squares[0] + squares[1]) + (squares[2] + squares[3])} / n;
  return {mean + zero, std::sqrt(std::max(0.0, square - mean * mean))};
}

// The number of a float in the order of all, from -infinity to +infinity.
std::int64_t order_of(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const auto size = static_cast<std::int64_t>(bits & 0x7FFFFFFFU);
  return bits >> 31 != 0 ? -size : size;
}

float float_of(std::int64_t order) {
  const auto size = static_cast<std::uint32_t>(order < 0 ? -order : order);
  return std::bit_cast<float>(size | (order < 0 ? 0x80000000U : 0U));
}

// Between a limit with too few values and one with too many, the next to try.
class Limits {
 public:
  Limits(double wanted, const Law& law)
      : wanted_(wanted), step_(law.deviation), guess_(law.mean - wanted * law.deviation) {}

  // Whether no float is left to try.
  bool are_next_to_each_other() const { return order_of(above_) - order_of(below_) < 2; }
  float above() const { return above_; }

  float next() {
    if (guesses_++ < kGuesses && is_between(static_cast<float>(guess_))) {
      return tried_ = static_cast<float>(guess_);
    }
    const std::int64_t sum = order_of(below_) + order_of(above_);
    return tried_ = float_of(sum >= 0 ? sum / 2 : (sum - 1) / 2);
  }

  // What was counted under the last one: its depth, and whether that is too little.
  void take(double depth, bool is_too_few) {
    (is_too_few ? below_ : above_) = tried_;
    (is_too_few ? below_depth_ : above_depth_) = depth;
    if (std::isinf(below_) || std::isinf(above_)) {  // by longer and longer steps
      guess_ = tried_ + (depth - wanted_) * step_;
      step_ *= 2;
    } else {
      const double share = (below_depth_ - wanted_) / (below_depth_ - above_depth_);
      guess_ = below_ + share * (double{above_} - below_);
    }
  }

 private:
  bool is_between(float limit) const { return limit > below_ && limit < above_; }

  const double wanted_;
  double step_;
  double guess_;
  int guesses_ = 0;
  float tried_ = 0;
  float below_ = -kInfinity;
  float above_ = kInfinity;
  double below_depth_ = 0;
  double above_depth_ = 0;
};

}  // namespace

std::size_t select_least(std::span<const float> values, std::size_t size, std::uint32_t* out) {
  const auto select = [&](float limit) {
    return kernels().select_below(values.data(), values.size(), limit, out);
  };
  const std::size_t most = size + size / 4 + 2;
  if (most >= values.size()) return select(kInfinity);
  const double n = static_cast<double>(values.size());
  Limits limits(depth_of(static_cast<double>(size + most) / 2 / n), law_of(values));
  while (!limits.are_next_to_each_other()) {
    const std::size_t found = select(limits.next());
    if (found >= size && found <= most) return found;
    limits.take(depth_of((static_cast<double>(found) + .5) / (n + 1)), found < size);
  }
  return select(limits.above());  // which many share
}

}  // namespace obliq
