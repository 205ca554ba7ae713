// The largest absolute value in a vector, from which integer codes derive their scale.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace obliq {

/// max |x_i| of dim finite floats, 0 for none. Lanes, because one running maximum waits for itself.
inline float largest_size(const float* x, std::size_t dim) {
  constexpr std::size_t kWidth = 16;
  float largest[kWidth] = {};
  const std::size_t whole = dim / kWidth * kWidth;
  const auto take = [&](std::size_t i, std::size_t lane) {
    const float size = std::abs(x[i]);
    largest[lane] = largest[lane] < size ? size : largest[lane];
  };
  for (std::size_t i = 0; i < whole; i += kWidth) {
    for (std::size_t lane = 0; lane < kWidth; ++lane) take(i + lane, lane);
  }
  for (std::size_t i = whole; i < dim; ++i) take(i, i - whole);
  return *std::max_element(largest, largest + kWidth);
}

}  // namespace obliq
