// The parts of the index one by one: k-means, list layout, router, bounds, top-k, confidence.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "core/top_k.h"
#include "index/build/kmeans.h"
#include "index/build/list_weight.h"
#include "index/search/confidence.h"
#include "index/search/router.h"
#include "index/search/searcher.h"
#include "index/segment/centroid_code.h"
#include "index/segment/list_key.h"
#include "index/segment/list_layout.h"
#include "tests/index/cases.h"
#include "tests/index/encoded.h"

namespace obliq {
namespace {

using testing::clustered;

double objective(const Matrix<float>& x, const Matrix<float>& centroids) {
  std::vector<std::uint32_t> nearest(x.rows);
  std::vector<float> distances(x.rows);
  assign_nearest(x.view(), centroids.view(), 1, nearest.data(), distances.data());
  return std::accumulate(distances.begin(), distances.end(), 0.0) / static_cast<double>(x.rows);
}

TEST(KMeans, AssignsEachRowToItsNearestCentroid) {
  const auto x = clustered(300, 17, 1);
  const auto centroids = clustered(70, 17, 2);
  std::vector<std::uint32_t> nearest(x.rows);
  std::vector<float> distances(x.rows);
  assign_nearest(x.view(), centroids.view(), 2, nearest.data(), distances.data());
  for (std::size_t i = 0; i < x.rows; ++i) {
    const auto truth = testing::brute_force(Metric::l2, centroids, x.row(i));
    EXPECT_EQ(nearest[i], truth[0].second);
    EXPECT_NEAR(distances[i], truth[0].first, 1e-3);
  }
}

TEST(KMeans, NeverRaisesTheObjectiveAndDoesNotDependOnThreads) {
  const auto x = clustered(3000, 20, 3, 50);
  const auto one = kmeans(x.view(), {40, 12, 5, 1, {}});
  const auto three = kmeans(x.view(), {40, 12, 5, 3, {}});
  EXPECT_EQ(one.centroids.values, three.centroids.values);
  for (std::size_t i = 1; i < one.objectives.size(); ++i) {
    EXPECT_LE(one.objectives[i], one.objectives[i - 1] * (1 + 1e-6));
  }
  EXPECT_LE(objective(x, one.centroids), one.objectives.back() * (1 + 1e-6));
  const auto other = kmeans(x.view(), {40, 12, 6, 1, {}});
  EXPECT_NE(one.centroids.values, other.centroids.values);
}

TEST(KMeans, FindsMostSeparatedClusters) {
  // 30 centres whose squared distance is about 160, noise 20: a pair of clusters that share one
  // centroid adds 160 / 4 * 2 / 30 = 2.7 to the objective. k-means++ leaves few such pairs (five
  // allowed); a uniform start leaves ten and more.
  const auto x = clustered(3000, 20, 7, 30);
  const auto result = kmeans(x.view(), {30, 20, 1, 1, {}});
  EXPECT_LT(objective(x, result.centroids), 20 + 5 * 2.7);
}

TEST(KMeans, LeavesNoClusterEmptyWhilePointsDiffer) {
  Matrix<float> x(100, 3);
  for (std::size_t i = 0; i < 100; ++i) x.row(i)[0] = static_cast<float>(i < 90 ? 0 : i);
  const auto result = kmeans(x.view(), {8, 10, 1, 1, {}});
  std::vector<std::uint32_t> nearest(100);
  assign_nearest(x.view(), result.centroids.view(), 1, nearest.data(), nullptr);
  std::sort(nearest.begin(), nearest.end());
  EXPECT_EQ(std::unique(nearest.begin(), nearest.end()) - nearest.begin(), 8);
}

TEST(ListLayout, ListsDoNotOverlapAndTouchNoBlockInVain) {
  Random random(1);
  for (const std::size_t nlist : {1UL, 2UL, 7UL, 100UL, 1500UL}) {
    std::vector<std::uint32_t> sizes(nlist);
    for (auto& size : sizes) size = static_cast<std::uint32_t>(random.below(160));
    const ListLayout layout = place_lists(sizes);
    std::vector<char> used(layout.entries, 0);
    for (std::size_t l = 0; l < nlist; ++l) {
      for (std::uint64_t e = layout.first[l]; e < layout.first[l] + sizes[l]; ++e) {
        ASSERT_LT(e, layout.entries);
        EXPECT_EQ(used[e]++, 0);
      }
      if (sizes[l] == 0) continue;
      const std::uint64_t blocks = (layout.first[l] + sizes[l] - 1) / 32 - layout.first[l] / 32 + 1;
      EXPECT_EQ(blocks, (sizes[l] + 31) / 32);
    }
    const std::size_t total = std::accumulate(sizes.begin(), sizes.end(), std::size_t{0});
    EXPECT_LE(layout.entries, total + total / 20 + 32 * 3);  // padding under 5 %
  }
}

TEST(TopK, KeepsTheLeastAndBreaksTiesByRow) {
  TopK top;
  top.reset(3);
  for (const auto& [distance, row] : {std::pair{2.0F, 9U}, {1.0F, 8U}, {2.0F, 3U}, {2.0F, 5U}}) {
    top.push(distance, row);
  }
  EXPECT_EQ(top.threshold(), 2.0F);
  const std::vector<TopK::Answer> expected = {{1.0F, 8U}, {2.0F, 3U}, {2.0F, 5U}};
  EXPECT_EQ(top.sorted(), expected);
}

TEST(Confidence, InvertsTheNormalDistribution) {
  for (const double p : {1e-6, 0.01, 0.5, 0.9, 0.964, 0.999, 0.9999999}) {
    EXPECT_NEAR(0.5 * std::erfc(-normal_quantile(p) / std::sqrt(2.0)), p, 1e-9);
  }
  EXPECT_EQ(normal_quantile(1), std::numeric_limits<double>::infinity());
}

TEST(CentroidCode, KeepsFarCentroidsExactlyAndOthersAsBytes) {
  const std::size_t dim = 96;
  const auto near = clustered(40, dim, 31);
  for (const float offset : {0.0F, 1e4F}) {
    Matrix<float> centroids = near;
    for (float& value : centroids.values) value += offset;
    const std::vector<float> zero(dim, 0.0F);
    std::copy_n(zero.data(), dim, centroids.row(7));
    std::vector<ListPoint> lists(centroids.rows);
    std::vector<float> radii(centroids.rows, 100.0F);
    radii[8] = 1e12F;  // wide, so that its centroid is never far
    const CodedCentroids coded = code_centroids(centroids.view(), radii, lists);
    EXPECT_EQ(coded.far_lists.size(), offset == 0 ? 0 : centroids.rows - 2);
    TrainedModel model;
    model.info.dim = dim;
    model.info.nlist = centroids.rows;
    std::copy_n("sq8", 4, model.info.quantizer);
    model.mean = zero;
    model.lists = lists;
    model.centroid_levels = coded.levels;
    model.far_lists = coded.far_lists;
    model.far_points = coded.far_points;
    complete(model);
    EXPECT_EQ(model.far_point(7), nullptr);
    EXPECT_EQ(model.far_point(8), nullptr);
    std::vector<float> decoded(dim);
    for (std::size_t l = 0; l < centroids.rows; ++l) {
      decode_centroid(model, l, decoded.data());
      const float error2 = kernels().l2_sqr(decoded.data(), centroids.row(l), dim);
      // A value is off by half a step: 1/254 of the largest.
      const double largest = offset == 0 ? 30 : 1.003e4;
      const double half_step = model.far_point(l) == nullptr ? largest / 254 : 0;
      EXPECT_LE(error2, dim * half_step * half_step) << l;
      EXPECT_FLOAT_EQ(lists[l].centroid_norm2, kernels().dot(decoded.data(), decoded.data(), dim));
    }
    decode_centroid(model, 7, decoded.data());
    EXPECT_EQ(decoded, zero);
  }
}

TEST(Router, MeasuresDistancesToTheDecodedCentroids) {
  for (const float offset : {0.0F, 1e4F}) {
    for (const Metric metric : {Metric::l2, Metric::ip}) {
      auto base = clustered(3000, 48, 32, 20);
      for (float& value : base.values) value += offset;
      BuildOptions build;
      build.metric = metric;
      build.nlist = 60;
      build.tune = false;
      const SegmentSet set = testing::encoded(base, build);
      const TrainedModel& model = set.model();
      EXPECT_EQ(model.far_lists.size(), metric == Metric::ip && offset > 0 ? 60U : 0U);
      const Router router(set);
      std::vector<float> q(base.row(5), base.row(5) + 48);
      model.transform->apply(q.data());
      CentroidQuery query(48);
      query.set(q.data());
      std::vector<float> c(48);
      for (std::uint32_t l = 0; l < 60; ++l) {
        decode_centroid(model, l, c.data());
        const Probe probe = router.probe(query, l);
        const double norms = std::sqrt(double{kernels().dot(q.data(), q.data(), 48)} *
                                       kernels().dot(c.data(), c.data(), 48));
        // The query's rounding to 1/8191 of its largest value, by Cauchy and Schwarz: 48 values
        // each off by at most half a step. Far centroids leave float rounding alone.
        const bool far = model.far_point(l) != nullptr;
        const double product = far ? 1e-6 * norms : norms * 48 / 2 / 8191;
        const float distance2 = kernels().l2_sqr(q.data(), c.data(), 48);
        EXPECT_NEAR(probe.distance2, distance2, far ? 1e-6 * distance2 : 2 * product);
        const float ip = -kernels().dot(q.data(), c.data(), 48);
        EXPECT_NEAR(probe.base, metric == Metric::ip ? ip : probe.distance2, product);
      }
    }
  }
}

// The number of entries after which a query has scanned the lists that hold 95 % of its 10 nearest
// others.
double entries_needed(Metric metric, const Matrix<float>& x, const Matrix<float>& centroids,
                      float weight) {
  std::vector<std::uint32_t> primary(x.rows);
  std::vector<float> r2(x.rows);
  assign_nearest(x.view(), centroids.view(), 1, primary.data(), r2.data());
  std::vector<float> mean_r2(centroids.rows);
  std::vector<double> count(centroids.rows);
  for (std::size_t i = 0; i < x.rows; ++i) {
    mean_r2[primary[i]] += r2[i];
    ++count[primary[i]];
  }
  for (std::size_t l = 0; l < mean_r2.size(); ++l) mean_r2[l] /= static_cast<float>(count[l]);
  std::vector<double> entries;
  for (std::size_t i = 0; i < x.rows; ++i) {
    auto lists = testing::brute_force(metric, centroids, x.row(i));
    for (auto& [key, list] : lists) {
      key += radius_term(metric, weight, mean_r2[static_cast<std::size_t>(list)]);
    }
    std::sort(lists.begin(), lists.end());
    auto nearest = testing::brute_force(metric, x, x.row(i));
    std::erase_if(nearest, [&](const auto& answer) { return answer.second == std::int64_t(i); });
    for (std::size_t j = 0; j < 10; ++j) {
      double sum = 0;
      for (const auto& [key, list] : lists) {
        sum += count[static_cast<std::size_t>(list)];
        if (list == primary[static_cast<std::size_t>(nearest[j].second)]) break;
      }
      entries.push_back(sum);
    }
  }
  std::sort(entries.begin(), entries.end());
  return entries[static_cast<std::size_t>(0.95 * static_cast<double>(entries.size()))];
}

TEST(ListWeight, CountsTheEntriesThatNeighboursNeed) {
  const auto x = clustered(200, 12, 41, 20);
  const Matrix<float> centroids = kmeans(MatrixSource(x.view()), {.clusters = 15}).centroids;
  for (const Metric metric : {Metric::l2, Metric::ip}) {
    const auto entries = entries_by_weight(metric, MatrixSource(x.view()), centroids.view(), 64, 2);
    for (std::size_t w = 0; w < kListWeights.size(); ++w) {
      EXPECT_EQ(entries[w], entries_needed(metric, x, centroids, kListWeights[w])) << w;
    }
    EXPECT_EQ(entries, entries_by_weight(metric, MatrixSource(x.view()), centroids.view(), 7, 1));
  }
}

TEST(ListWeight, IsTheUsualOneUnlessAnotherSavesMoreThanNoise) {
  EXPECT_EQ(best_list_weight({100, 86, 100, 100, 100}), 0.5F);
  EXPECT_EQ(best_list_weight({100, 100, 100, 84, 99}), 0.75F);
  EXPECT_EQ(best_list_weight({60, 70, 100, 100, 100}), 0.0F);
}

// One list, its centroid far from the query: the share of entries whose bound exceeds their true
// distance is 1 - confidence, within four standard errors of the count and a tenth for the normal
// model.
TEST(Bounds, HoldAsOftenAsTheConfidencePromises) {
  const std::size_t n = 20000;
  const auto base = clustered(n, 128, 13, 1);
  const auto queries = clustered(4, 128, 14, 1);
  BuildOptions build;
  build.nlist = 1;
  build.quantizer = "lm4";
  const SegmentSet set = testing::encoded(base, build);
  const auto& [model, segment] = std::tie(set.model(), set.segments().front());
  std::vector<float> centroid(128);
  for (const double confidence : {0.9, 0.964, 0.995}) {
    std::size_t above = 0;
    for (std::size_t i = 0; i < queries.rows; ++i) {
      std::vector<float> q(queries.row(i), queries.row(i) + 128);
      model.transform->apply(q.data());
      ScanQuery scan(128);
      scan.set(q.data());
      decode_centroid(model, 0, centroid.data());
      const float distance2 = kernels().l2_sqr(q.data(), centroid.data(), 128);
      ScanList list =
          scan_list(*segment.lists.find(0), segment.blocks.data(), 128, distance2, 1, 2);
      scan.set_shift(model.info.sine * std::sqrt(distance2 * 128 / 127),
                     static_cast<float>(normal_quantile(confidence)), list);
      std::vector<std::uint32_t> entries(n + 32);
      std::vector<float> bounds(n + 32);
      ASSERT_EQ(kernels().scan(scan.lut(), 128, list, 1e30F, entries.data(), bounds.data()), n);
      const float scale = model.transform->scale();
      for (std::size_t e = 0; e < n; ++e) {
        above +=
            bounds[e] / scale / scale > kernels().l2_sqr(queries.row(i), base.row(e), 128) ? 1 : 0;
      }
    }
    const double trials = 4.0 * n;
    const double expected = 1 - confidence;
    const double error = 4 * std::sqrt(expected * confidence / trials) + 0.1 * expected;
    EXPECT_NEAR(static_cast<double>(above) / trials, expected, error) << confidence;
  }
}

}  // namespace
}  // namespace obliq
