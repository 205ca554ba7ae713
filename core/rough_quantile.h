// A threshold that about `rank` of many values do not exceed, by one pass over a histogram: a
// fraction of the cost of std::nth_element, whose branches mispredict.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/range_of.h"

namespace obliq {

/// A value that `values` of a total weight of at least `rank` do not exceed, and few more: those
/// that share the last of 128 equal bins between the least and the greatest. `weight` of an index
/// is a whole number. Requires 0 < rank <= the weight of all; the values finite.
template <typename Weight>
float rough_quantile(std::span<const float> values, std::size_t rank, Weight weight) {
  constexpr std::size_t kBins = 128;
  const auto [least, greatest] = range_of(values);
  const float width = (greatest - least) / kBins;
  if (!std::isnormal(width)) return greatest;
  const float inverse = 1 / width;
  std::array<std::uint32_t, kBins> weights = {};
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto bin = static_cast<std::size_t>((values[i] - least) * inverse);
    weights[std::min<std::size_t>(bin, kBins - 1)] += weight(i);
  }
  std::size_t sum = 0;
  for (std::size_t bin = 0; bin < kBins; ++bin) {
    sum += weights[bin];
    // A bin's upper edge, moved up past the rounding of the bin number.
    if (sum >= rank) return least + (static_cast<float>(bin) + 1.001F) * width;
  }
  return greatest;
}

/// The same where each value counts once.
inline float rough_quantile(std::span<const float> values, std::size_t rank) {
  return rough_quantile(values, rank, [](std::size_t) { return 1U; });
}

}  // namespace obliq
