// From a target recall to a search, by the ladders of a tuned index. Threshold and log nprobe are
// linear in log(1 - recall) between two targets and in log k between two k; whether the stop rule
// or nprobe is used follows the upper target and the upper k. Targets below the first take its
// numbers, those above the last scan all lists. Above the last k the line through the last two k
// continues.
#pragma once

#include <cstddef>

#include "index/search/search_plan.h"
#include "obliq/tuning.h"

namespace obliq {

/// Throws std::invalid_argument when the index is not tuned, or no number of lists reaches
/// `recall`, which is in (0, 1). Requires k > 0.
StopPolicy plan_recall(const Tuning& tuning, double recall, std::size_t k, std::size_t nlist);

}  // namespace obliq
