// A threshold that about `rank` of many values do not exceed, by one pass over a histogram: a
// fraction of the cost of std::nth_element, whose branches mispredict.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

namespace obliq {

/// A value that at least `rank` of `values` do not exceed, and few more: those that share the last
/// of 128 equal bins between the least and the greatest. Requires 0 < rank <= values.size(); the
/// values finite.
inline float rough_quantile(std::span<const float> values, std::size_t rank) {
  constexpr std::size_t kBins = 128;
  float least = values[0];
  float greatest = values[0];
  for (const float value : values) {
    least = value < least ? value : least;
    greatest = value > greatest ? value : greatest;
  }
  const float width = (greatest - least) / kBins;
  if (!(width >= std::numeric_limits<float>::min())) return greatest;
  const float inverse = 1 / width;
  std::array<std::uint16_t, kBins> counts = {};
  for (const float value : values) {
    ++counts[std::min<std::size_t>(static_cast<std::size_t>((value - least) * inverse), kBins - 1)];
  }
  std::size_t sum = 0;
  for (std::size_t bin = 0; bin < kBins; ++bin) {
    sum += counts[bin];
    // A bin's upper edge, moved up past the rounding of the bin number.
    if (sum >= rank) return least + (static_cast<float>(bin) + 1.001F) * width;
  }
  return greatest;
}

}  // namespace obliq
