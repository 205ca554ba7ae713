// The order of rows in which near ones have near numbers.
#include "index/build/near_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "core/kernels/dispatch.h"
#include "tests/index/cases.h"

namespace obliq {
namespace {

using testing::clustered;

constexpr std::size_t kDim = 16;

std::vector<std::uint32_t> rising(std::size_t count) {
  std::vector<std::uint32_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), 0U);
  return numbers;
}

KMeansOptions groups(std::size_t count, int threads = 1) {
  KMeansOptions how;
  how.clusters = count;
  how.threads = threads;
  return how;
}

// Mean squared distance of rows `step` places apart.
double apart(const Matrix<float>& rows, const std::vector<std::uint32_t>& order, std::size_t step) {
  double sum = 0;
  for (std::size_t i = step; i < order.size(); ++i) {
    sum += kernels().l2_sqr(rows.row(order[i - step]), rows.row(order[i]), rows.cols);
  }
  return sum / static_cast<double>(order.size() - step);
}

void expect_each_once(std::vector<std::uint32_t> order, std::size_t count) {
  std::sort(order.begin(), order.end());
  EXPECT_EQ(order, rising(count));
}

TEST(NearOrder, HoldsEachRowOnceInTheGroupOfItsNearestPoint) {
  const auto rows = clustered(600, kDim, 1, 30);
  const GroupedOrder order = order_by_groups(rows.view(), groups(25));
  expect_each_once(order.rows, 600);
  ASSERT_EQ(order.points.rows, 25U);
  std::size_t place = 0;
  for (std::size_t g = 0; g < 25; ++g) {
    for (std::size_t i = 0; i < order.sizes[g]; ++i, ++place) {
      const float* row = rows.row(order.rows[place]);
      EXPECT_EQ(testing::brute_force(Metric::l2, order.points, row)[0].second, std::int64_t(g));
    }
  }
  EXPECT_EQ(place, 600U);
}

// Rows of different clusters are about 160 apart, those of one 32.
TEST(NearOrder, PutsNearRowsSideBySideAndRangesAreRegions) {
  const auto rows = clustered(1000, kDim, 2, 40);
  EXPECT_GT(apart(rows, rising(1000), 1), 120);
  for (const std::size_t count : {1, 8, 124}) {  // of groups; few are divided again
    const GroupedOrder order = order_by_groups(rows.view(), groups(count));
    expect_each_once(order.rows, 1000);
    EXPECT_LT(apart(rows, order.rows, 1), 40) << count;
    EXPECT_LT(apart(rows, order.rows, 5), 60) << count;
  }
}

TEST(NearOrder, DoesNotDependOnThreads) {
  const auto rows = clustered(1000, kDim, 3, 20);
  EXPECT_EQ(order_by_groups(rows.view(), groups(5)).rows,
            order_by_groups(rows.view(), groups(5, 3)).rows);
}

TEST(NearOrder, OrdersOneRowAndManyCopies) {
  EXPECT_EQ(order_by_groups(clustered(1, kDim, 4).view(), groups(1)).rows, rising(1));
  Matrix<float> copies(2000, kDim);
  std::fill_n(copies.row(700), kDim, 1.0F);
  const GroupedOrder order = order_by_groups(copies.view(), groups(3));
  expect_each_once(order.rows, 2000);
  const auto place = std::find(order.rows.begin(), order.rows.end(), 700U);
  EXPECT_TRUE(place == order.rows.begin() || place + 1 == order.rows.end());
}

}  // namespace
}  // namespace obliq
