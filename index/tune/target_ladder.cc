// Work is told in scanned entries. Between two confidences that were traced, and between two checks
// of a trace, outcomes are linear.
#include "index/tune/target_ladder.h"

#include <algorithm>
#include <array>
#include <limits>

#include "index/segment/tuning_section.h"
#include "index/tune/recall_plan.h"

namespace obliq {
namespace {

// What the stop rule costs per query (ranking lists one by one, a check after each), in scanned
// entries: 5 of 35 us at dim 384, in which a thousand entries are scanned.
constexpr double kRuleCost = 1000;
// What a row that is refined costs, or a raw vector that is compared, in scanned entries: a fit to
// 155 points of the 10,000 sentences, one query per call, gives 12 to 23. Both grow with dim alike.
constexpr double kRowCost = 20;
// Between two confidences that were traced.
constexpr int kConfidenceSteps = 32;

/// A way to a target, and its cost per query in scanned entries.
struct Way {
  TunedTarget tuned;
  double cost = std::numeric_limits<double>::infinity();
};

double work(const Outcome& outcome) { return outcome.entries + kRowCost * outcome.rows; }

// At `nprobe` lists the least confidence that meets the target, between that of `traced`, which
// does, and that of `next`, where recall is linear in it: in truth it is concave, so no less.
Way least_confidence(const Traced& traced, const Traced* next, std::size_t nprobe,
                     const Traces::Test& met) {
  const Outcome high = traced.traces.at_nprobe(nprobe);
  Outcome outcome = high;
  float confidence = traced.confidence;
  if (next != nullptr && nprobe <= next->lists) {
    const Outcome low = next->traces.at_nprobe(nprobe);
    for (int step = 1; step <= kConfidenceSteps; ++step) {
      const float share = static_cast<float>(step) / kConfidenceSteps;
      const Outcome lower = between(high, low, share);
      if (!met(lower)) break;
      outcome = lower;
      confidence = traced.confidence + share * (next->confidence - traced.confidence);
    }
  }
  Way way;
  way.tuned.nprobe = nprobe;
  way.tuned.confidence = confidence;
  way.cost = work(outcome);
  return way;
}

// The way to the target of a fixed nprobe, no less than that `before`, that costs least: at each
// confidence that was traced, highest first, and a little below it.
Way least_lists(std::span<const Traced> traced, const Traces::Test& met,
                const TunedTarget& before) {
  Way best;
  for (std::size_t i = 0; i < traced.size(); ++i) {
    const Traced& own = traced[i];
    const bool is_usual = i == 0;
    if (!is_usual && !met(own.traces.at_nprobe(own.lists))) continue;
    const std::size_t lists = std::min(own.lists, own.traces.least_nprobe(met));
    const std::size_t nprobe = std::max(before.nprobe, lists);
    if (!is_usual && nprobe > own.lists) continue;
    const Traced* next = i + 1 < traced.size() ? &traced[i + 1] : nullptr;
    const Way way = least_confidence(own, next, nprobe, met);
    if (way.cost < best.cost) best = way;
  }
  return best;
}

// With a threshold no greater and an nprobe no less than those `before`. The threshold is that of
// the usual confidence, the first of `traced`, with which searches have it that go by it; so is the
// nprobe where the rule is used.
TunedTarget tune_target(std::span<const Traced> traced, float target, const Kept& kept,
                        const TunedTarget& before) {
  const auto met = meets(target, kept, traced.front().traces);
  const Way fixed = least_lists(traced, met, before);
  const Traced& usual = traced.front();
  TunedTarget tuned = fixed.tuned;
  tuned.recall = target;
  tuned.threshold = std::min(before.threshold, usual.traces.least_threshold(met));
  const double stop_cost = work(usual.traces.at_threshold(tuned.threshold)) + kRuleCost;
  tuned.uses_stop_rule = target >= kLeastStopTarget && stop_cost < fixed.cost;
  if (tuned.uses_stop_rule) {
    tuned.nprobe = std::max(before.nprobe, usual.traces.least_nprobe(met));
    tuned.confidence = usual.confidence;
  }
  return tuned;
}

// kTunedTargets; where the default recall is not among them, it takes the place of the last, which
// no search reaches then.
std::array<float, kTunedTargets.size()> targets_of(float max_recall) {
  auto targets = kTunedTargets;
  const auto usual = static_cast<float>(default_recall(max_recall));
  if (usual <= 0 || std::find(targets.begin(), targets.end(), usual) != targets.end()) {
    return targets;
  }
  targets.back() = usual;
  std::sort(targets.begin(), targets.end());
  return targets;
}

}  // namespace

Traces::Test meets(float target, const Kept& kept, const Traces& traces) {
  const double m = static_cast<double>(traces.queries());
  const double error = 1.2816 * std::sqrt(1 / m + 1e-3);
  return [=](const Outcome& outcome) {
    return kept.recall(outcome) >=
           std::max<double>(target, target - 0.003 + error * kept.deviation(outcome));
  };
}

TunedLadder make_ladder(std::span<const Traced> traced, const Kept& kept) {
  const Outcome all = traced.front().traces.at_nprobe(traced.front().lists);
  TunedLadder ladder = {kept.k, static_cast<float>(kept.recall(all)), {}};
  TunedTarget before;
  before.threshold = std::numeric_limits<float>::infinity();
  for (const float target : targets_of(ladder.max_recall)) {
    ladder.targets.push_back(before = tune_target(traced, target, kept, before));
  }
  return ladder;
}

}  // namespace obliq
