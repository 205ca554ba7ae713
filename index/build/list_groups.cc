// Groups in the order of near_order.h are stored as they are; lists take the numbers of their
// places.
#include "index/build/list_groups.h"

#include <algorithm>
#include <utility>

#include "core/kernels/dispatch.h"
#include "index/build/near_order.h"
#include "index/segment/byte_panels.h"

namespace obliq {
ListGroups group_lists(Matrix<float>& centroids, const KMeansOptions& how) {
  const GroupedOrder order = order_by_groups(centroids.view(), how);
  Matrix<float> sorted(centroids.rows, centroids.cols);
  for (std::size_t l = 0; l < sorted.rows; ++l) {
    std::copy_n(centroids.row(order.rows[l]), centroids.cols, sorted.row(l));
  }
  centroids = std::move(sorted);
  const Matrix<float>& points = order.points;
  ListGroups groups{std::vector<GroupRecord>(points.rows), {}, order.sizes};
  std::uint32_t first = 0;
  for (std::size_t g = 0; g < points.rows; ++g) {
    GroupRecord& record = groups.records[g];
    record.first = first;
    record.count = order.sizes[g];
    for (; first < record.first + record.count; ++first) {
      record.point.mean_r2 += kernels().l2_sqr(centroids.row(first), points.row(g), points.cols);
    }
    record.point.mean_r2 /= static_cast<float>(std::max(record.count, 1U));
  }
  std::vector<ListPoint> coded_points(points.rows);
  const CodedCentroids coded = code_centroids(points.view(), {}, coded_points);
  for (std::size_t g = 0; g < points.rows; ++g) {
    coded_points[g].mean_r2 = groups.records[g].point.mean_r2;
    groups.records[g].point = coded_points[g];
  }
  groups.panels = zero_panels(points.rows, points.cols);
  for (std::size_t g = 0; g < points.rows; ++g) {
    write_panel_row(coded.levels.data() + g * points.cols, points.cols, g, groups.panels);
  }
  return groups;
}

}  // namespace obliq
