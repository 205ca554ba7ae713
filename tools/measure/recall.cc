#include "tools/measure/recall.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

namespace obliq::tools {
namespace {

constexpr double kTieTolerance = 1e-6;

/// One query's true neighbours: the first `k` columns and those that tie with the last of them.
struct TrueNeighbours {
  std::vector<std::int64_t> nearest;  // sorted
  std::vector<std::int64_t> tied;     // sorted, not in `nearest`
};

void keep_one_of_each(std::vector<std::int64_t>& ids) {
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
}

TrueNeighbours true_neighbours(const datasets::GroundTruth& truth, std::size_t query,
                               std::size_t k) {
  const std::int64_t* ids = truth.ids.row(query);
  const float* distances = truth.distances.row(query);  // not read when there are none
  TrueNeighbours result;
  for (std::size_t j = 0; j < k && ids[j] >= 0; ++j) result.nearest.push_back(ids[j]);
  if (result.nearest.size() == k && truth.distances.rows > 0) {
    const double last = distances[k - 1];
    const double limit = last + kTieTolerance * std::fabs(last);
    for (std::size_t j = k; j < truth.ids.cols && ids[j] >= 0 && distances[j] <= limit; ++j) {
      result.tied.push_back(ids[j]);
    }
  }
  keep_one_of_each(result.nearest);
  keep_one_of_each(result.tied);
  std::erase_if(result.tied, [&](std::int64_t id) {
    return std::binary_search(result.nearest.begin(), result.nearest.end(), id);
  });
  return result;
}

std::size_t count_common(const std::vector<std::int64_t>& sorted,
                         const std::vector<std::int64_t>& wanted) {
  return static_cast<std::size_t>(std::count_if(wanted.begin(), wanted.end(), [&](std::int64_t id) {
    return std::binary_search(sorted.begin(), sorted.end(), id);
  }));
}

}  // namespace

Recall recall_at(MatrixView<std::int64_t> ids, const datasets::GroundTruth& truth) {
  const std::size_t k = ids.cols;
  if (truth.ids.rows != ids.rows) {
    throw std::invalid_argument(
        fmt::format("the ground truth is for {} queries, not {}", truth.ids.rows, ids.rows));
  }
  if (truth.ids.cols < k) {
    throw std::invalid_argument(
        fmt::format("the ground truth holds {} neighbours per query, fewer than k = {}: make one "
                    "with 'obliq groundtruth -k {}'",
                    truth.ids.cols, k, k));
  }
  std::size_t wanted = 0;
  std::size_t strict = 0;
  std::size_t ties = 0;
  for (std::size_t q = 0; q < ids.rows; ++q) {
    const TrueNeighbours neighbours = true_neighbours(truth, q, k);
    std::vector<std::int64_t> found(ids.row(q), ids.row(q) + k);
    std::sort(found.begin(), found.end());
    const std::size_t hits = count_common(found, neighbours.nearest);
    wanted += neighbours.nearest.size();
    strict += hits;
    ties += std::min(neighbours.nearest.size(), hits + count_common(found, neighbours.tied));
  }
  if (wanted == 0) return {};
  const auto total = static_cast<double>(wanted);
  return {static_cast<double>(strict) / total, static_cast<double>(ties) / total};
}

}  // namespace obliq::tools
