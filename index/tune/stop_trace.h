// What searches through all lists tell about stopping earlier: at each check of the stop rule the
// score, the work done and the true neighbours found.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "index/search/stop_rule.h"

namespace obliq {

/// One check of one query.
struct TracedCheck {
  float score;   ///< the least so far
  float recall;  ///< share of the k nearest found
  std::uint32_t lists;
  std::uint64_t entries;
};
using StopTrace = std::vector<TracedCheck>;

/// Writes a trace. An answer at the k-th true distance counts, whichever of several it is.
class TraceRecorder final : public StopObserver {
 public:
  /// `truth`: the nearest first, more than k where there are more.
  TraceRecorder(std::span<const TopK::Answer> truth, std::size_t k, StopTrace& trace);
  void check(const StopCheck& check) override;

 private:
  std::vector<std::uint32_t> right_;  // rows, rising
  std::size_t wanted_;                // hits that are full recall
  StopTrace& trace_;
};

/// Means over the queries.
struct Outcome {
  double recall = 0;
  double deviation = 0;  ///< standard deviation of the recall over queries
  double entries = 0;    ///< scanned
};

/// The traces of some queries, one or more, with the same checks each.
class Traces {
 public:
  explicit Traces(std::vector<StopTrace> traces) : traces_(std::move(traces)) {}

  std::size_t queries() const { return traces_.size(); }
  Outcome at_threshold(float threshold) const;
  /// Between two checks linear in log nprobe.
  Outcome at_nprobe(std::size_t nprobe) const;

  using Test = std::function<bool(const Outcome&)>;
  /// The greatest threshold that passes; -infinity when none does.
  float least_threshold(const Test& passes) const;
  /// The least nprobe that passes, all lists when none does.
  std::size_t least_nprobe(const Test& passes) const;

 private:
  Outcome mean(const std::function<const TracedCheck&(const StopTrace&)>& pick) const;

  std::vector<StopTrace> traces_;
};

}  // namespace obliq
