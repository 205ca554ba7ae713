// What a search is to do: its options, checked and resolved against one index.
#pragma once

#include <cstddef>
#include <limits>
#include <optional>

namespace obliq {

class RowMask;
class StopObserver;

/// When a query has seen enough lists.
struct StopPolicy {
  /// Lists, and more while answers are missing; with a threshold the most.
  std::size_t nprobe = 16;
  std::optional<float> threshold = {};  ///< of the stop rule (stop_rule.h); none: nprobe lists
};

struct SearchPlan {
  std::size_t k = 10;
  StopPolicy stop = {};
  /// Standard deviations by which a bound lies below its estimate; +infinity prunes nothing.
  float deviations = 1.8F;
  const RowMask* allowed = nullptr;  ///< rows that may be answers; null: all
  StopObserver* observer = nullptr;  ///< watches a search that has a threshold
};

}  // namespace obliq
