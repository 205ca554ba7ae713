// k-means over the centroids gives the points of the groups; a chain through them, each the nearest
// to the one before, numbers the groups, and the lists follow in the order of their groups. So near
// lists have near numbers, and the lists of near groups are often one range.
#include "index/build/list_groups.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/kernels/dispatch.h"
#include "index/segment/byte_panels.h"

namespace obliq {
namespace {

// The rows in an order in which each is the nearest to the one before, of those that are left: near
// groups are then often neighbours, and their lists one range, whose blocks are read whole.
Matrix<float> in_a_chain(const Matrix<float>& rows) {
  std::vector<std::uint32_t> left(rows.rows);
  std::iota(left.begin(), left.end(), 0U);
  Matrix<float> chain(rows.rows, rows.cols);
  const float* last = rows.row(0);
  for (std::size_t i = 0; i < rows.rows; ++i) {
    std::pair<float, std::size_t> best = {std::numeric_limits<float>::infinity(), 0};
    for (std::size_t j = 0; j < left.size(); ++j) {
      best = std::min(best, {kernels().l2_sqr(last, rows.row(left[j]), rows.cols), j});
    }
    last = rows.row(left[best.second]);
    std::copy_n(last, rows.cols, chain.row(i));
    left.erase(left.begin() + static_cast<std::ptrdiff_t>(best.second));
  }
  return chain;
}

}  // namespace

ListGroups group_lists(Matrix<float>& centroids, const KMeansOptions& how) {
  const Matrix<float> points = in_a_chain(kmeans(centroids.view(), how).centroids);
  std::vector<std::uint32_t> group(centroids.rows);
  std::vector<float> distance2(centroids.rows);
  assign_nearest(centroids.view(), points.view(), how.threads, group.data(), distance2.data());
  ListGroups groups{std::vector<ListRecord>(points.rows), {}};
  for (std::size_t l = 0; l < group.size(); ++l) {
    ListRecord& record = groups.records[group[l]];
    record.mean_r2 += distance2[l];
    ++record.count;
  }
  std::uint64_t first = 0;
  for (ListRecord& record : groups.records) {
    record.first = first;
    record.mean_r2 /= static_cast<float>(std::max(record.count, 1U));
    first += record.count;
  }
  std::vector<std::uint32_t> order(group.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return group[a] < group[b]; });
  Matrix<float> sorted(centroids.rows, centroids.cols);
  for (std::size_t l = 0; l < order.size(); ++l) {
    std::copy_n(centroids.row(order[l]), centroids.cols, sorted.row(l));
  }
  centroids = std::move(sorted);
  const CodedCentroids coded = code_centroids(points.view(), {}, groups.records);
  groups.panels = zero_panels(points.rows, points.cols);
  for (std::size_t g = 0; g < points.rows; ++g) {
    write_panel_row(coded.levels.data() + g * points.cols, points.cols, g, groups.panels);
  }
  return groups;
}

}  // namespace obliq
