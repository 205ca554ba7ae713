#include "index/build/row_groups.h"

#include <algorithm>
#include <cmath>

namespace obliq {

std::size_t count_groups(std::size_t rows) {
  const auto root = static_cast<std::size_t>(std::sqrt(static_cast<double>(rows)));
  return std::clamp<std::size_t>(4 * root, 1, std::max<std::size_t>(rows, 1));
}

RowGroups consecutive_groups(std::span<const std::uint32_t> sizes, float margin) {
  RowGroups groups{{}, sizes.size(), margin};
  for (std::uint32_t g = 0; g < sizes.size(); ++g)
    groups.of_row.resize(groups.of_row.size() + sizes[g], g);
  return groups;
}

Matrix<float> group_points(MatrixView<float> rows, const RowGroups& groups) {
  std::vector<double> sums(groups.count * rows.cols);
  std::vector<std::size_t> counts(groups.count);
  for (std::size_t i = 0; i < rows.rows; ++i) {
    const std::uint32_t group = groups.of_row[i];
    ++counts[group];
    for (std::size_t j = 0; j < rows.cols; ++j) sums[group * rows.cols + j] += rows.row(i)[j];
  }
  Matrix<float> points(groups.count, rows.cols);
  for (std::size_t g = 0; g < groups.count; ++g) {
    if (counts[g] == 0) continue;
    const double share = 1.0 / static_cast<double>(counts[g]);
    for (std::size_t j = 0; j < rows.cols; ++j) {
      points.row(g)[j] = static_cast<float>(sums[g * rows.cols + j] * share);
    }
  }
  return points;
}

}  // namespace obliq
