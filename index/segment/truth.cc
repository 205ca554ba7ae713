// Neighbours of the parts are merged one part after the other, query by query.
#include "index/segment/truth.h"

#include <cmath>
#include <limits>
#include <utility>

namespace obliq {
namespace {

constexpr std::size_t kEach = Truth::kNeighbours;

using Neighbour = std::pair<float, std::int64_t>;

void read_part(const Truth& part, std::size_t query, std::vector<Neighbour>& neighbours) {
  neighbours.clear();
  for (std::size_t i = query * kEach; i < (query + 1) * kEach; ++i) {
    if (part.ids[i] == -1 || std::isnan(part.distances[i])) break;
    neighbours.emplace_back(part.distances[i], part.ids[i]);
  }
}

// The nearest of both, each rising; what both hold comes once.
void merge_nearest(const std::vector<Neighbour>& a, const std::vector<Neighbour>& b,
                   std::vector<Neighbour>& nearest) {
  nearest.clear();
  std::size_t i = 0;
  std::size_t j = 0;
  while (nearest.size() < kEach && (i < a.size() || j < b.size())) {
    const bool from_a = j == b.size() || (i < a.size() && a[i] <= b[j]);
    if (from_a && j < b.size() && a[i] == b[j]) ++j;
    nearest.push_back(from_a ? a[i++] : b[j++]);
  }
}

}  // namespace

TruthBytes no_truth(std::size_t queries) {
  return {std::vector<float>(queries * kEach, std::numeric_limits<float>::infinity()),
          std::vector<std::int64_t>(queries * kEach, -1)};
}

TruthBytes join_truth(std::span<const Truth> parts) {
  if (parts.empty()) return {};
  const std::size_t queries = parts.front().ids.size() / kEach;
  TruthBytes joined = no_truth(queries);
  std::vector<Neighbour> nearest, part_of, merged;
  for (std::size_t q = 0; q < queries; ++q) {
    nearest.clear();
    for (const Truth& part : parts) {
      read_part(part, q, part_of);
      merge_nearest(nearest, part_of, merged);
      nearest.swap(merged);
    }
    for (std::size_t i = 0; i < nearest.size(); ++i) {
      joined.distances[q * kEach + i] = nearest[i].first;
      joined.ids[q * kEach + i] = nearest[i].second;
    }
  }
  return joined;
}

}  // namespace obliq
