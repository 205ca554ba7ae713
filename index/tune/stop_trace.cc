// A trace is monotonic in what matters: `score` is the least so far, so that the first check below
// a threshold is found by bisection, and lists rise. Recall and entries of all traces at one check
// are then averaged.
#include "index/tune/stop_trace.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace obliq {

Outcome between(const Outcome& a, const Outcome& b, double share) {
  const auto mix = [share](double from, double to) { return from + share * (to - from); };
  return {mix(a.recall, b.recall), mix(a.deviation, b.deviation), mix(a.entries, b.entries),
          mix(a.rows, b.rows)};
}

TraceRecorder::TraceRecorder(std::span<const TopK::Answer> truth, std::size_t k, StopTrace& trace)
    : wanted_(std::min(k, truth.size())), trace_(trace) {
  if (wanted_ == 0) return;
  const float kth = truth[wanted_ - 1].first;
  const float limit = kth + std::numeric_limits<float>::epsilon() * std::abs(kth);
  for (const auto& [distance, row] : truth) {
    if (distance <= limit) right_.push_back(row);
  }
  std::sort(right_.begin(), right_.end());
}

void TraceRecorder::check(const StopCheck& check) {
  begun_anew_ = begun_anew_ || (!trace_.empty() && check.lists <= trace_.back().lists);
  if (begun_anew_) return;
  const auto hits = static_cast<std::size_t>(
      std::count_if(check.answers.begin(), check.answers.end(), [&](const TopK::Answer& answer) {
        return std::binary_search(right_.begin(), right_.end(), answer.second);
      }));
  const float recall =
      wanted_ == 0 ? 1.0F
                   : static_cast<float>(std::min(hits, wanted_)) / static_cast<float>(wanted_);
  const float least = trace_.empty() ? check.score : std::min(trace_.back().score, check.score);
  trace_.push_back(
      {least, recall, static_cast<std::uint32_t>(check.lists), check.entries, check.rows});
}

Outcome Traces::mean(const std::function<const TracedCheck&(const StopTrace&)>& pick) const {
  double sum = 0;
  double squares = 0;
  double entries = 0;
  double rows = 0;
  for (const StopTrace& trace : traces_) {
    const TracedCheck& check = pick(trace);
    sum += check.recall;
    squares += static_cast<double>(check.recall) * check.recall;
    entries += static_cast<double>(check.entries);
    rows += static_cast<double>(check.rows);
  }
  const auto n = static_cast<double>(traces_.size());
  const double recall = sum / n;
  return {recall, std::sqrt(std::max(0.0, squares / n - recall * recall)), entries / n, rows / n};
}

Outcome Traces::at_threshold(float threshold) const {
  return mean([threshold](const StopTrace& trace) -> const TracedCheck& {
    const auto stop = std::partition_point(
        trace.begin(), trace.end(), [&](const TracedCheck& c) { return !(c.score < threshold); });
    return stop == trace.end() ? trace.back() : *stop;
  });
}

Outcome Traces::at_nprobe(std::size_t nprobe) const {
  const StopTrace& first = traces_.front();
  const auto found = std::partition_point(first.begin(), first.end(),
                                          [&](const TracedCheck& c) { return c.lists < nprobe; });
  const auto at =
      std::min<std::size_t>(static_cast<std::size_t>(found - first.begin()), first.size() - 1);
  const Outcome above = mean([at](const StopTrace& t) -> const TracedCheck& { return t[at]; });
  if (at == 0 || first[at].lists <= nprobe) return above;
  const Outcome below = mean([at](const StopTrace& t) -> const TracedCheck& { return t[at - 1]; });
  const double start = std::log(first[at - 1].lists);
  const double share =
      (std::log(static_cast<double>(nprobe)) - start) / (std::log(first[at].lists) - start);
  return between(below, above, share);
}

float Traces::least_threshold(const Test& passes) const {
  float low = 0;
  float high = -std::numeric_limits<float>::infinity();
  for (const StopTrace& trace : traces_) {
    for (const TracedCheck& check : trace) {
      if (!std::isfinite(check.score)) continue;
      low = std::min(low, check.score);
      high = std::max(high, check.score);
    }
  }
  if (!passes(at_threshold(low))) return -std::numeric_limits<float>::infinity();
  for (int i = 0; i < 24 && low < high; ++i) {  // low passes, whatever is found of high
    const float middle = low + (high - low) / 2;
    (passes(at_threshold(middle)) ? low : high) = middle;
  }
  return low;
}

std::size_t Traces::least_nprobe(const Test& passes) const {
  std::size_t low = 0;  // does not pass, or was not tried
  std::size_t high = traces_.front().back().lists;
  while (high - low > 1) {
    const std::size_t middle = low + (high - low) / 2;
    (passes(at_nprobe(middle)) ? high : low) = middle;
  }
  return high;
}

}  // namespace obliq
