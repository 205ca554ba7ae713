// Neighbours of all parts are sorted, query by query.
#include "index/segment/truth.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace obliq {
namespace {

constexpr std::size_t kEach = Truth::kNeighbours;

}  // namespace

TruthBytes no_truth(std::size_t queries) {
  return {std::vector<float>(queries * kEach, std::numeric_limits<float>::infinity()),
          std::vector<std::int64_t>(queries * kEach, -1)};
}

TruthBytes join_truth(std::span<const Truth> parts) {
  if (parts.empty()) return {};
  const std::size_t queries = parts.front().ids.size() / kEach;
  TruthBytes joined = no_truth(queries);
  std::vector<std::pair<float, std::int64_t>> all;
  for (std::size_t q = 0; q < queries; ++q) {
    all.clear();
    for (const Truth& part : parts) {
      for (std::size_t i = q * kEach; i < (q + 1) * kEach; ++i) {
        if (part.ids[i] == -1 || std::isnan(part.distances[i])) break;
        all.emplace_back(part.distances[i], part.ids[i]);
      }
    }
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    all.resize(std::min(all.size(), kEach));
    for (std::size_t i = 0; i < all.size(); ++i) {
      joined.distances[q * kEach + i] = all[i].first;
      joined.ids[q * kEach + i] = all[i].second;
    }
  }
  return joined;
}

}  // namespace obliq
