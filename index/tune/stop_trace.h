// Traces of searches through all lists: at each check of the stop rule the score, the work done and
// the true neighbours found. They tell what stopping earlier would have given.
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
  std::uint64_t rows;  ///< refined, and raw vectors compared
};
using StopTrace = std::vector<TracedCheck>;

/// Records the trace of one query. Any answer at the k-th true distance counts as a hit, since
/// which of several equal ones comes k-th is arbitrary.
class TraceRecorder final : public StopObserver {
 public:
  /// `truth`: the nearest first, more than k where there are more.
  TraceRecorder(std::span<const TopK::Answer> truth, std::size_t k, StopTrace& trace);
  /// Passes over what comes once a search has begun anew, for want of k answers.
  void check(const StopCheck& check) override;

 private:
  std::vector<std::uint32_t> right_;  // rows that count as hits, rising
  std::size_t wanted_;                // number of hits that is full recall
  bool begun_anew_ = false;
  StopTrace& trace_;
};

/// Means over the queries.
struct Outcome {
  double recall = 0;
  double deviation = 0;  ///< standard deviation of the recall over queries
  double entries = 0;    ///< scanned
  double rows = 0;       ///< refined, and raw vectors compared
};

/// Linear from one to the other.
Outcome between(const Outcome& a, const Outcome& b, double share);

/// The traces of one query or more, each with the same checks.
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
