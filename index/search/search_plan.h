// What a search is to do: its options, checked and resolved against one index.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>

#include "index/segment/id_lookup.h"

namespace obliq {

class StopObserver;
struct RowFilter;

/// Where a search stops, and how many lists that will take.
struct RareStop {
  float threshold = 0;
  float lists = 0;
};

/// When a query has seen enough lists.
struct StopPolicy {
  /// Lists, and more while answers are missing; with a threshold the most.
  std::size_t nprobe = 16;
  std::optional<float> threshold = {};  ///< of the stop rule (stop_rule.h); none: nprobe lists
  std::size_t least = 0;                ///< lists before which the stop rule stops no query
  /// With a filter: of searches for k, 2k, 4k, ... answers, of which the one that fits the share of
  /// rows that may be answers takes the place of `threshold`.
  std::span<const RareStop> by_rarity = {};
  /// With a threshold: lists that would do as well if all queries had as many, rather more than the
  /// rule takes. 0: unknown.
  std::size_t expected = 0;
  /// SearchOptions::confidence with which nprobe meets a target recall; none: the usual one, which
  /// searches with a threshold or a filter have.
  std::optional<float> confidence = {};
};

struct SearchPlan {
  std::size_t k = 10;
  StopPolicy stop = {};
  /// Standard deviations by which a bound lies below its estimate; +infinity prunes nothing.
  float deviations = 1.8F;
  /// Lists to visit, best first, in the place of those that routing chooses; kNoList stands for
  /// none. Then `stop` is not used and no other list is visited. Empty: routing chooses.
  std::span<const std::uint32_t> lists = {};
  const RowFilter* filter = nullptr;  ///< which rows may be answers; null: all
  std::uint32_t excluded = kNoSlot;   ///< a slot that is no answer
  /// Answers are below it; +infinity: any are.
  float radius = std::numeric_limits<float>::infinity();
  /// Foreign rows (segment.h) are no answers: the lists that they are of are visited, too.
  bool skips_foreign = false;
  bool names_slots = false;          ///< answers are named by their slots in the place of ids
  StopObserver* observer = nullptr;  ///< watches a search that has a threshold
};

}  // namespace obliq
