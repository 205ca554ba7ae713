// Learns a model from a sample of the base: the vector transform, centroids and their codes, groups
// of lists, the quantizer, and every statistic that a search uses.
#pragma once

#include <memory>

#include "index/build/build_plan.h"
#include "index/segment/trained_model.h"

namespace obliq {

/// Of a base of plan.n vectors, of which plan.vectors hold at least the sample, whatever else and
/// in whatever order. Throws as Index::build does. Memory: the sample, or options.max_memory.
std::shared_ptr<const TrainedModel> train_model(const BuildPlan& plan);

}  // namespace obliq
