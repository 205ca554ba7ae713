// An order of rows in which near rows have near numbers.
#pragma once

#include <cstdint>
#include <vector>

#include "index/build/kmeans.h"
#include "obliq/matrix_view.h"

namespace obliq {

/// Rows in the order of groups.
struct GroupedOrder {
  std::vector<std::uint32_t> rows;   ///< the number of the row at each place
  std::vector<std::uint32_t> sizes;  ///< of the groups, whose rows follow each other; some may be 0
  Matrix<float> points;              ///< of the groups
};

/// Divides rows into how.clusters groups by k-means. A chain through their points, each the nearest
/// to the one before of those that are left, is the order of the groups; the rows of a group are
/// ordered alike, through groups of their own where there are many, beginning next to the last row
/// of the group before. Does not depend on threads, nor on the ISA. Requires a row or more. Cost:
/// k-means, clusters^2 / 2 and rows * 4 sqrt(rows) distances.
GroupedOrder order_by_groups(MatrixView<float> rows, const KMeansOptions& how);

}  // namespace obliq
