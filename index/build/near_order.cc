// Groups of groups: as many as make a chain through a group's rows cheap.
#include "index/build/near_order.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <span>

#include "core/kernels/dispatch.h"

namespace obliq {
namespace {

constexpr std::size_t kMostChained = 128;  // rows of a group without groups of its own
constexpr int kIterations = 4;             // of k-means in a group

// The numbers in an order in which each row is the nearest to the one before, of those that are
// left, and the first the nearest to `last`; ties to the smaller place.
void chain(MatrixView<float> rows, const float* last, std::span<std::uint32_t> numbers) {
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    std::pair<float, std::size_t> best = {std::numeric_limits<float>::infinity(), i};
    for (std::size_t j = i; j < numbers.size(); ++j) {
      best = std::min(best, {kernels().l2_sqr(last, rows.row(numbers[j]), rows.cols), j});
    }
    const auto at = numbers.begin() + static_cast<std::ptrdiff_t>(i);
    // The others keep their order.
    std::rotate(at, numbers.begin() + static_cast<std::ptrdiff_t>(best.second),
                numbers.begin() + static_cast<std::ptrdiff_t>(best.second) + 1);
    last = rows.row(numbers[i]);
  }
}

Matrix<float> rows_of_numbers(MatrixView<float> rows, std::span<const std::uint32_t> numbers) {
  Matrix<float> some(numbers.size(), rows.cols);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    std::copy_n(rows.row(numbers[i]), rows.cols, some.row(i));
  }
  return some;
}

void order_rows(MatrixView<float> rows, const KMeansOptions& how, const float* last,
                std::span<std::uint32_t> numbers);

// Orders the groups, then the rows of each; `numbers` are those of all of `rows` in the end.
GroupedOrder order_groups(MatrixView<float> rows, const KMeansOptions& how, const float* last) {
  const Matrix<float> points = kmeans(rows, how).centroids;
  std::vector<std::uint32_t> places(points.rows);
  std::iota(places.begin(), places.end(), 0U);
  chain(points.view(), last, places);
  GroupedOrder order{std::vector<std::uint32_t>(rows.rows), std::vector<std::uint32_t>(points.rows),
                     rows_of_numbers(points.view(), places)};
  std::vector<std::uint32_t> group(rows.rows);
  assign_nearest(rows, order.points.view(), how.threads, group.data(), nullptr);
  for (const std::uint32_t g : group) ++order.sizes[g];
  std::vector<std::uint32_t> next(points.rows, 0);
  std::exclusive_scan(order.sizes.begin(), order.sizes.end(), next.begin(), 0U);
  for (std::uint32_t row = 0; row < rows.rows; ++row) order.rows[next[group[row]]++] = row;
  std::span<std::uint32_t> left(order.rows);
  for (const std::uint32_t size : order.sizes) {
    if (size == 0) continue;
    // Copies of one row are not divided by any number of groups.
    const bool is_divided = size < rows.rows || points.rows == 1;
    if (is_divided || size <= kMostChained) order_rows(rows, how, last, left.first(size));
    last = rows.row(left[size - 1]);
    left = left.subspan(size);
  }
  return order;
}

void order_rows(MatrixView<float> rows, const KMeansOptions& how, const float* last,
                std::span<std::uint32_t> numbers) {
  if (numbers.size() <= kMostChained) return chain(rows, last, numbers);
  const Matrix<float> some = rows_of_numbers(rows, numbers);
  KMeansOptions inside = how;
  inside.clusters = count_groups(some.rows);
  inside.iterations = kIterations;
  inside.progress = {};
  const GroupedOrder order = order_groups(some.view(), inside, last);
  const std::vector<std::uint32_t> before(numbers.begin(), numbers.end());
  for (std::size_t i = 0; i < order.rows.size(); ++i) numbers[i] = before[order.rows[i]];
}

}  // namespace

GroupedOrder order_by_groups(MatrixView<float> rows, const KMeansOptions& how) {
  return order_groups(rows, how, rows.row(0));
}

}  // namespace obliq
