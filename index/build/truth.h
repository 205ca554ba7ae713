// The exact nearest vectors of a model's learn queries, which tuning compares answers with.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "index/build/encode_input.h"
#include "index/segment/segment.h"

namespace obliq {

/// The bytes of a Truth, which is empty where there are no learn queries.
struct TruthBytes {
  std::vector<float> distances;
  std::vector<std::int64_t> ids;

  Truth view() const { return {distances, ids}; }
};

/// Reads the vectors once, in order. Cost: learn queries * vectors * dim.
TruthBytes find_truth(const TrainedModel& model, const EncodeInput& input);

/// That of vectors of several segments, of which those may come twice that have the same id.
TruthBytes join_truth(std::span<const Truth> parts);

}  // namespace obliq
