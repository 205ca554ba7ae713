// The truth of several segments as one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "index/segment/segment.h"

namespace obliq {

/// The bytes of a Truth, which is empty where there are no learn queries.
struct TruthBytes {
  std::vector<float> distances;
  std::vector<std::int64_t> ids;

  Truth view() const { return {distances, ids}; }
};

/// A truth of that number of learn queries without neighbours.
TruthBytes no_truth(std::size_t queries);

/// The Truth::kNeighbours nearest of each learn query in all parts, by distance, then id; those
/// may come twice that have the same id.
TruthBytes join_truth(std::span<const Truth> parts);

}  // namespace obliq
