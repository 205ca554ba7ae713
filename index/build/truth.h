// The exact nearest vectors of a model's learn queries, which tuning compares answers with.
#pragma once

#include "index/build/encode_input.h"
#include "index/segment/truth.h"

namespace obliq {

/// Reads the vectors once, in order. Cost: learn queries * vectors * dim.
TruthBytes find_truth(const TrainedModel& model, const EncodeInput& input);

}  // namespace obliq
