// k-means++ in cells, as many clusters start.
#include "index/build/kmeans_start.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <vector>

#include "core/random.h"
#include "tests/index/cases.h"

namespace obliq {
namespace {

using testing::clustered;

constexpr std::size_t kMany = kLeastCelled;
constexpr std::size_t kDim = 20;

const Matrix<float>& points() {
  static const Matrix<float> points = clustered(4 * kMany, kDim, 7, kMany);
  return points;
}

KMeansOptions many(int threads = 1) {
  KMeansOptions how;
  how.clusters = kMany;
  how.threads = threads;
  return how;
}

// A uniform start leaves exp(-kMany / 1000) of them without one, 130.
TEST(KMeansStart, InCellsFindsClustersThatLieApart) {
  constexpr std::size_t kClusters = 1000;
  const Matrix<float> centres = clustered(kClusters, kDim, 8, 50);
  Random random(1);
  std::map<std::vector<float>, std::size_t> cluster_of;
  Matrix<float> x(4 * kMany, kDim);
  for (std::size_t i = 0; i < x.rows; ++i) {
    const std::size_t cluster = random.below(kClusters);
    for (std::size_t j = 0; j < kDim; ++j) {
      x.row(i)[j] = centres.row(cluster)[j] + static_cast<float>(0.05 * random.gaussian());
    }
    cluster_of[{x.row(i), x.row(i) + kDim}] = cluster;
  }
  const Matrix<float> starts = kmeans_start(MatrixSource(x.view()), many());
  std::set<std::size_t> found;
  for (std::size_t c = 0; c < kMany; ++c) {
    found.insert(cluster_of.at({starts.row(c), starts.row(c) + kDim}));
  }
  EXPECT_GE(found.size(), kClusters - 5);
}

TEST(KMeansStart, DoesNotDependOnThreadsAndTakesNoPointTwice) {
  const Matrix<float> one = kmeans_start(MatrixSource(points().view()), many());
  const Matrix<float> three = kmeans_start(MatrixSource(points().view()), many(3));
  EXPECT_EQ(one.values, three.values);
  std::set<std::vector<float>> starts;
  for (std::size_t c = 0; c < kMany; ++c) starts.emplace(one.row(c), one.row(c) + kDim);
  EXPECT_EQ(starts.size(), kMany);
}

TEST(KMeansStart, TakesEveryDistinctPointWhereThereAreFewerThanStarts) {
  constexpr std::size_t kDistinct = 300;
  Matrix<float> x(2 * kMany, kDim);
  for (std::size_t i = 0; i < x.rows; ++i) x.row(i)[3] = static_cast<float>(i % kDistinct);
  const Matrix<float> starts = kmeans_start(MatrixSource(x.view()), many());
  std::set<float> taken;
  for (std::size_t c = 0; c < kMany; ++c) taken.insert(starts.row(c)[3]);
  EXPECT_EQ(taken.size(), kDistinct);
}

TEST(KMeansStart, ReportsProgressThatRises) {
  KMeansOptions how = many();
  std::vector<double> fractions;
  how.progress = [&](std::string_view stage, double fraction) {
    EXPECT_EQ(stage, "k-means++ start");
    fractions.push_back(fraction);
    return true;
  };
  kmeans_start(MatrixSource(points().view()), how);
  EXPECT_GE(fractions.size(), 4U);
  EXPECT_TRUE(std::is_sorted(fractions.begin(), fractions.end()));
  EXPECT_EQ(fractions.back(), 1);
}

}  // namespace
}  // namespace obliq
