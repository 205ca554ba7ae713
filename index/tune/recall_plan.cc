// A target recall at k is looked up on the two ladders around k, on each between its two targets.
// What lies between is interpolated; a scan of all lists (threshold -infinity) wins over any other.
#include "index/tune/recall_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace obliq {
namespace {

double log_of(std::size_t count) { return std::log(static_cast<double>(count)); }

/// A target of a ladder, or what is interpolated between two.
struct Step {
  double threshold;  // -infinity: all lists
  double log_nprobe;
  bool stops;
};

// Linear; -infinity on either side wins.
double mix(double a, double b, double share) {
  if (share == 0) return a;
  if (share == 1 || a == b || std::isinf(b)) return b;
  return std::isinf(a) ? a : a + share * (b - a);
}

Step between(const Step& a, const Step& b, double share) {
  return {mix(a.threshold, b.threshold, share), mix(a.log_nprobe, b.log_nprobe, share),
          share > 0 ? b.stops : a.stops};
}

Step step_of(const TunedTarget& target) {
  return {target.threshold, log_of(target.nprobe), target.uses_stop_rule};
}

Step find(const TunedLadder& ladder, double recall, std::size_t nlist) {
  const auto& targets = ladder.targets;
  const auto above =
      std::lower_bound(targets.begin(), targets.end(), static_cast<float>(recall),
                       [](const TunedTarget& t, float value) { return t.recall < value; });
  if (above == targets.begin()) return step_of(*above);
  if (above == targets.end()) {
    return {-std::numeric_limits<double>::infinity(), log_of(nlist), false};
  }
  const TunedTarget& below = *(above - 1);
  const double start = std::log1p(-static_cast<double>(below.recall));
  const double share = (std::log1p(-recall) - start) / (std::log1p(-above->recall) - start);
  return between(step_of(below), step_of(*above), std::clamp(share, 0.0, 1.0));
}

// The ladders on both sides of k, and where k is between them; above the last pair more than 1.
struct Place {
  const TunedLadder* below;
  const TunedLadder* above;
  double share;
};

Place place_of(const Tuning& tuning, std::size_t k) {
  const auto& ladders = tuning.ladders;
  if (ladders.size() == 1 || k <= ladders.front().k) return {&ladders[0], &ladders[0], 0};
  std::size_t i = 1;
  while (i + 1 < ladders.size() && ladders[i].k < k) ++i;
  const double start = log_of(ladders[i - 1].k);
  const double share = (log_of(k) - start) / (log_of(ladders[i].k) - start);
  return {&ladders[i - 1], &ladders[i], share};
}

}  // namespace

StopPolicy plan_recall(const Tuning& tuning, double recall, std::size_t k, std::size_t nlist) {
  if (tuning.ladders.empty()) {
    throw std::invalid_argument(
        "the index is not tuned, so it knows no way to a target_recall: tune it, or give nprobe");
  }
  const auto [below, above, share] = place_of(tuning, k);
  const double max_recall = mix(below->max_recall, above->max_recall, std::min(share, 1.0));
  if (recall > max_recall) {
    throw std::invalid_argument(fmt::format(
        "target_recall {} is out of reach: all lists of this index give {:.4f} at k = {}; build "
        "with more bits or a raw tier",
        recall, max_recall, k));
  }
  const Step step = between(find(*below, recall, nlist), find(*above, recall, nlist), share);
  if (step.stops && std::isfinite(step.threshold)) {
    return {nlist, static_cast<float>(step.threshold)};
  }
  const double lists =
      step.stops ? static_cast<double>(nlist) : std::ceil(std::exp(step.log_nprobe) - 1e-6);
  return {std::clamp<std::size_t>(static_cast<std::size_t>(std::min(lists, 4e9)), 1, nlist), {}};
}

}  // namespace obliq
