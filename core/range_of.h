// The least and the greatest of many values, in one pass that does not wait for itself.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <span>
#include <utility>

namespace obliq {

/// The least and the greatest value(v) of `values`, which are not empty. In strands, as the
/// compiler may not reorder a chain of comparisons by itself.
template <std::size_t strands = 16, typename T, typename Value = std::identity>
std::pair<float, float> range_of(std::span<const T> values, Value value = {}) {
  std::array<float, strands> least;
  std::array<float, strands> greatest;
  least.fill(std::invoke(value, values[0]));
  greatest.fill(least[0]);
  const auto take = [&](float x, std::size_t strand) {
    least[strand] = x < least[strand] ? x : least[strand];
    greatest[strand] = x > greatest[strand] ? x : greatest[strand];
  };
  const std::size_t whole = values.size() / strands * strands;
  for (std::size_t i = 0; i < whole; i += strands) {
    for (std::size_t s = 0; s < strands; ++s) take(std::invoke(value, values[i + s]), s);
  }
  for (std::size_t i = whole; i < values.size(); ++i) {
    take(std::invoke(value, values[i]), i - whole);
  }
  return {*std::min_element(least.begin(), least.end()),
          *std::max_element(greatest.begin(), greatest.end())};
}

}  // namespace obliq
