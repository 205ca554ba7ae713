#include "tools/measure/average_precision.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <numeric>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

namespace obliq::tools {
namespace {

constexpr std::size_t kThresholds = 100;
constexpr double kBelow = 0.001;

using Counts = std::array<std::size_t, kThresholds>;

template <typename Value>
std::span<const Value> of_query(const std::vector<Value>& values,
                                const std::vector<std::uint64_t>& lims, std::size_t query) {
  return std::span(values).subspan(lims[query], lims[query + 1] - lims[query]);
}

std::array<double, kThresholds> thresholds_of(const std::vector<float>& distances) {
  const auto [least, greatest] = std::minmax_element(distances.begin(), distances.end());
  const double begin = std::min(-kBelow, *least - kBelow);
  const double step = (*greatest - begin) / (kThresholds - 1);
  std::array<double, kThresholds> thresholds{};
  for (std::size_t i = 0; i < kThresholds; ++i) {
    thresholds[i] = begin + static_cast<double>(i) * step;
  }
  thresholds.back() = *greatest;
  return thresholds;
}

/// The answers of a query: their distances, rising, and whether they are true.
std::vector<std::pair<float, bool>> judged(const datasets::RangeAnswers& found,
                                           const datasets::RangeAnswers& truth, std::size_t query) {
  const auto right = of_query(truth.ids, truth.lims, query);
  std::vector<std::int64_t> sorted(right.begin(), right.end());
  std::sort(sorted.begin(), sorted.end());
  const auto ids = of_query(found.ids, found.lims, query);
  const auto distances = of_query(found.distances, found.lims, query);
  std::vector<std::pair<float, bool>> answers;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    answers.emplace_back(distances[i], std::binary_search(sorted.begin(), sorted.end(), ids[i]));
  }
  std::stable_sort(answers.begin(), answers.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  return answers;
}

double share(std::size_t part, std::size_t whole, double of_none) {
  return whole == 0 ? of_none : static_cast<double>(part) / static_cast<double>(whole);
}

/// The area; counts rise with the thresholds.
double area(const Counts& found, const Counts& hits, std::size_t total) {
  double sum = 0;
  for (std::size_t i = 0; i + 1 < kThresholds; ++i) {
    const double width = share(hits[i + 1], total, 0) - share(hits[i], total, 0);
    sum += width * (share(hits[i], found[i], 1) + share(hits[i + 1], found[i + 1], 1)) / 2;
  }
  return sum;
}

}  // namespace

RangeQuality range_quality(const datasets::RangeAnswers& found,
                           const datasets::RangeAnswers& truth) {
  if (found.queries() != truth.queries()) {
    throw std::invalid_argument(fmt::format("the truth is of {} queries, {} were searched",
                                            truth.queries(), found.queries()));
  }
  const std::size_t total = truth.ids.size();
  if (found.ids.empty()) return {0, 1, total == 0 ? 1.0 : 0.0};
  const auto thresholds = thresholds_of(found.distances);
  Counts counts{};
  Counts hits{};
  std::size_t all_hits = 0;
  for (std::size_t query = 0; query < truth.queries(); ++query) {
    const auto answers = judged(found, truth, query);
    std::size_t at = 0;
    std::size_t true_ones = 0;
    for (std::size_t i = 0; i < kThresholds; ++i) {
      for (; at < answers.size() && answers[at].first < thresholds[i]; ++at) {
        true_ones += answers[at].second ? 1 : 0;
      }
      counts[i] += at;
      hits[i] += true_ones;
    }
    for (; at < answers.size(); ++at) true_ones += answers[at].second ? 1 : 0;
    all_hits += true_ones;
  }
  return {area(counts, hits, total), share(all_hits, found.ids.size(), 1),
          share(all_hits, total, 0)};
}

}  // namespace obliq::tools
