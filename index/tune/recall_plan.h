// From a target recall to a search, by the ladders of a tuned index. Threshold, log nprobe and
// confidence are linear in log(1 - recall) between two targets and in log k between two k; whether
// the stop rule or nprobe is used follows the upper target and the upper k. Targets below the first
// take its numbers, those above the last scan all lists. Above the last k an nprobe is used that
// leads from the one there to all lists at k = n, on the safe side (recall_plan.cc).
//
// And from nothing to a search: what is done where neither nprobe nor a target is given.
#pragma once

#include <cstddef>
#include <vector>

#include "index/search/search_plan.h"
#include "obliq/tuning.h"

namespace obliq {

/// The size of an index: vectors and lists.
struct IndexExtent {
  std::size_t n;
  std::size_t nlist;
  /// There were many more vectors or fewer when it was tuned: nobody knows whether threshold or
  /// nprobe met the target better, and a search goes on until both are reached.
  bool has_changed = false;
};

/// Throws std::invalid_argument when the index is not tuned, or no number of lists reaches
/// `recall`, which is in (0, 1). Requires k > 0 and an nlist above 0.
StopPolicy plan_recall(const Tuning& tuning, double recall, std::size_t k, IndexExtent index);

/// Where the stop rule ends searches for k, 2k, 4k, ... answers up to those of all n vectors, for
/// StopPolicy::by_rarity. Throws as plan_recall.
std::vector<RareStop> stops_by_rarity(const Tuning& tuning, double recall, std::size_t k,
                                      IndexExtent index);

/// A search without nprobe and target aims at this share of what all lists give, so that codes of
/// few bits do not make it scan all lists for the last answers below their ceiling,
constexpr double kDefaultReach = 0.96;
/// and at no more than this.
constexpr double kMostDefaultRecall = 0.95;

/// The recall, or what all lists give where that is less. Requires a tuning.
double reachable_recall(const Tuning& tuning, double recall, std::size_t k);

/// The recall that is aimed at by default where all lists give `max_recall`.
double default_recall(double max_recall);
/// The same at one k. Requires a tuning.
double default_recall_at(const Tuning& tuning, std::size_t k);

/// The plan of a search without nprobe and target: for the default recall or, where the index is
/// not tuned, plan_untuned. Requires k > 0 and an nlist above 0. Cost: a dozen logarithms.
StopPolicy plan_default(const Tuning& tuning, std::size_t k, IndexExtent index);

/// All lists of fewer than kLeastTuned vectors, else a number that grows with nlist and k.
StopPolicy plan_untuned(std::size_t k, IndexExtent index);

}  // namespace obliq
