// A target recall at k is looked up on the two ladders around k, on each between its two targets.
// What lies between is interpolated; a scan of all lists (threshold -infinity) wins over any other.
//
// Beyond the last tuned k nothing was measured. The logarithm of the number of lists that a recall
// takes grows ever faster in log k, from almost nothing, where the nearest neighbours lie in lists
// that a query looks at anyhow, to proportion, where answers fill lists. So the straight line from
// the last tuned k to all lists at k = n lies above it; the lines through tuned k lie below (on
// 2,000 Gaussian vectors of dim 32, k = 1,000, they give .848 for a target of .9, this one .989).
// Clusters of fewer than k vectors break that rule, since a query needs one or two lists up to the
// size of a cluster and many beyond. Hence the second bound: lists of k / (1 - r)^(2/3) vectors, r
// the recall asked for, as clusters that overlap need (400 of 250 vectors, noise half their
// spread). Tight clusters then have up to four times what they need, Gaussian vectors and sentences
// 1 to 1.6 times.
#include "index/tune/recall_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "index/search/stop_rule.h"
#include "index/segment/tuning_section.h"

namespace obliq {
namespace {

double log_of(std::size_t count) { return std::log(static_cast<double>(count)); }

/// A target of a ladder, or what is interpolated between two.
struct Step {
  double threshold;  // -infinity: all lists
  double log_nprobe;
  bool stops;
  double confidence;
};

// Linear; -infinity on either side wins.
double mix(double a, double b, double share) {
  if (share == 0) return a;
  if (share == 1 || a == b || std::isinf(b)) return b;
  return std::isinf(a) ? a : a + share * (b - a);
}

Step between(const Step& a, const Step& b, double share) {
  return {mix(a.threshold, b.threshold, share), mix(a.log_nprobe, b.log_nprobe, share),
          share > 0 ? b.stops : a.stops, mix(a.confidence, b.confidence, share)};
}

Step step_of(const TunedTarget& target) {
  return {target.threshold, log_of(target.nprobe), target.uses_stop_rule, target.confidence};
}

Step find(const TunedLadder& ladder, double recall, std::size_t nlist) {
  const auto& targets = ladder.targets;
  const auto above =
      std::lower_bound(targets.begin(), targets.end(), static_cast<float>(recall),
                       [](const TunedTarget& t, float value) { return t.recall < value; });
  if (above == targets.begin()) return step_of(*above);
  if (above == targets.end()) {
    return {-std::numeric_limits<double>::infinity(), log_of(nlist), false,
            SearchOptions{}.confidence};
  }
  const TunedTarget& below = *(above - 1);
  const double start = std::log1p(-static_cast<double>(below.recall));
  const double share = (std::log1p(-recall) - start) / (std::log1p(-above->recall) - start);
  return between(step_of(below), step_of(*above), std::clamp(share, 0.0, 1.0));
}

// The ladders on both sides of k, and where k is between them.
struct Place {
  const TunedLadder* below;
  const TunedLadder* above;
  double share;
};

Place place_of(const Tuning& tuning, std::size_t k) {
  const auto& ladders = tuning.ladders;
  if (k <= ladders.front().k) return {&ladders.front(), &ladders.front(), 0};
  if (k >= ladders.back().k) return {&ladders.back(), &ladders.back(), 0};
  std::size_t i = 1;
  while (ladders[i].k < k) ++i;
  const double start = log_of(ladders[i - 1].k);
  const double share = (log_of(k) - start) / (log_of(ladders[i].k) - start);
  return {&ladders[i - 1], &ladders[i], share};
}

// The recall of all lists at k.
double max_recall_at(const Tuning& tuning, std::size_t k) {
  const auto [below, above, share] = place_of(tuning, k);
  return mix(below->max_recall, above->max_recall, share);
}

StopPolicy fixed(double lists, std::size_t nlist) {
  const double whole = std::min(std::ceil(lists - 1e-6), 4e9);
  return {std::clamp<std::size_t>(static_cast<std::size_t>(whole), 1, nlist), {}};
}

// The number of lists for `share` times the vectors of the index: in proportion while that is
// little, and never more than all.
double lists_of_share(double share, std::size_t nlist) {
  return static_cast<double>(nlist) * -std::expm1(-share);
}

// Beyond the last tuned k; `reach`: the share of max_recall that is asked for.
StopPolicy plan_beyond(const TunedLadder& last, double recall, double reach, std::size_t k,
                       IndexExtent index) {
  if (k >= index.n || last.k >= index.n) return {index.nlist, {}};
  const double start = log_of(last.k);
  const double share = (log_of(k) - start) / (log_of(index.n) - start);
  const double tuned = find(last, recall, index.nlist).log_nprobe;
  const double line = std::exp(mix(tuned, log_of(index.nlist), share));
  const double entries = std::pow(1 - reach, -2.0 / 3) * static_cast<double>(k);
  const double least = lists_of_share(entries / static_cast<double>(index.n), index.nlist);
  return fixed(std::max(line, least), index.nlist);
}

// Where it is not reached, or nothing is known of it.
void require_reach(const Tuning& tuning, double recall, std::size_t k) {
  if (tuning.ladders.empty()) {
    throw std::invalid_argument(
        "the index is not tuned, so it knows no way to a target_recall: tune it, or give nprobe");
  }
  const double max_recall = max_recall_at(tuning, k);
  if (recall <= max_recall) return;
  throw std::invalid_argument(fmt::format(
      "target_recall {} is out of reach: all lists of this index give {:.4f} at k = {}; build "
      "with more bits or a raw tier",
      recall, max_recall, k));
}

// At a k that may be beyond the last tuned one: from there on lists grow to all of them at k = n,
// along the line that lies above what a recall takes, and the threshold falls by what the score
// loses with them.
RareStop rare_stop(const Tuning& tuning, double recall, std::size_t k, IndexExtent index) {
  const auto [below, above, share] = place_of(tuning, k);
  const Step step =
      between(find(*below, recall, index.nlist), find(*above, recall, index.nlist), share);
  double lists = step.log_nprobe;
  const std::size_t last = tuning.ladders.back().k;
  if (k > last && last < index.n) {
    const double beyond = (log_of(k) - log_of(last)) / (log_of(index.n) - log_of(last));
    lists = mix(lists, log_of(index.nlist), std::min(1.0, beyond));
  }
  const double threshold = step.threshold - kListsWeight * (lists - step.log_nprobe);
  return {static_cast<float>(threshold), static_cast<float>(std::exp(lists))};
}

}  // namespace

std::vector<RareStop> stops_by_rarity(const Tuning& tuning, double recall, std::size_t k,
                                      IndexExtent index) {
  require_reach(tuning, recall, k);
  std::vector<RareStop> stops;
  for (std::size_t rare = k;; rare *= 2) {
    stops.push_back(rare_stop(tuning, recall, rare, index));
    if (rare >= index.n || rare > rare * 2) return stops;
  }
}

StopPolicy plan_recall(const Tuning& tuning, double recall, std::size_t k, IndexExtent index) {
  require_reach(tuning, recall, k);
  const double max_recall = max_recall_at(tuning, k);
  if (const TunedLadder& last = tuning.ladders.back(); k > last.k) {
    return plan_beyond(last, recall, recall / max_recall, k, index);
  }
  const auto [below, above, share] = place_of(tuning, k);
  const Step step =
      between(find(*below, recall, index.nlist), find(*above, recall, index.nlist), share);
  StopPolicy plan = fixed(std::exp(step.log_nprobe), index.nlist);
  const bool scans_all = plan.nprobe == index.nlist;
  if (step.stops || (index.has_changed && !scans_all)) {
    const std::size_t lists = plan.nprobe;
    if (!std::isfinite(step.threshold)) return {index.nlist, {}};
    plan = {index.nlist, static_cast<float>(step.threshold), index.has_changed ? lists : 0};
    plan.expected = lists;
  }
  if (!plan.threshold && !index.has_changed) plan.confidence = static_cast<float>(step.confidence);
  return plan;
}

double reachable_recall(const Tuning& tuning, double recall, std::size_t k) {
  return std::min(recall, max_recall_at(tuning, k));
}

double default_recall(double max_recall) {
  return std::min(kMostDefaultRecall, kDefaultReach * max_recall);
}

double default_recall_at(const Tuning& tuning, std::size_t k) {
  return default_recall(max_recall_at(tuning, k));
}

StopPolicy plan_default(const Tuning& tuning, std::size_t k, IndexExtent index) {
  if (tuning.ladders.empty()) return plan_untuned(k, index);
  return plan_recall(tuning, default_recall_at(tuning, k), k, index);
}

// Two sqrt(nlist) lists, and those that four k vectors fill. At k = 1, 10, 100, 1,000 this gives
// recalls of .97, .98, .95, .96 on the 10,000 sentences of the sample (400 lists, of which 41, 42,
// 56 and 172 are scanned), .99, .98, .98, .94 on 120,000 sentences and .57, .52, .45, .48 on
// 100,000 Gaussian vectors of dim 128, the hardest there are, where .9 takes a quarter of all lists
// and more: only tuning knows which data an index is of.
StopPolicy plan_untuned(std::size_t k, IndexExtent index) {
  if (index.n < kLeastTuned) return {index.nlist, {}};
  const double filled = 4 * static_cast<double>(k) / static_cast<double>(index.n);
  const double nlist = static_cast<double>(index.nlist);
  return fixed(2 * std::sqrt(nlist) + lists_of_share(filled, index.nlist), index.nlist);
}

}  // namespace obliq
