// Exact k-NN against plain loops; tests/datasets/groundtruth_test.cc has more of them.
#include "core/exact_knn.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "core/kernels/dispatch.h"
#include "core/random.h"
#include "core/safe_norm.h"

namespace obliq {
namespace {

Matrix<float> gaussian(std::size_t rows, std::size_t dim, std::uint64_t seed) {
  Random random(seed);
  Matrix<float> vectors(rows, dim);
  for (float& value : vectors.values) value = static_cast<float>(random.gaussian());
  return vectors;
}

// All base rows, nearest first.
std::vector<TopK::Answer> brute_force(Metric metric, Matrix<float> base, const float* query) {
  const std::size_t dim = base.cols;
  std::vector<float> q(query, query + dim);
  if (metric == Metric::cosine) normalise(q.data(), dim);
  std::vector<TopK::Answer> all;
  for (std::size_t i = 0; i < base.rows; ++i) {
    float* x = base.row(i);
    if (metric == Metric::cosine) normalise(x, dim);
    const float distance = metric == Metric::l2 ? kernels().l2_sqr(q.data(), x, dim)
                                                : -kernels().dot(q.data(), x, dim);
    all.emplace_back(distance, static_cast<std::uint32_t>(i));
  }
  std::sort(all.begin(), all.end());
  return all;
}

class ExactKnn : public ::testing::TestWithParam<Metric> {};

TEST_P(ExactKnn, IsBruteForceWithoutTheExcludedRow) {
  for (const std::size_t dim : {1, 19, 130}) {
    const auto base = gaussian(900, dim, dim);
    auto queries = gaussian(37, dim, dim + 1);
    std::copy_n(base.row(3), dim, queries.row(0));
    std::vector<std::uint32_t> excluded(37, TopK::kNoRow);
    excluded[0] = 3;
    const auto found =
        exact_knn(MatrixSource(base.view()), queries.view(), excluded, {GetParam(), 20});
    for (std::size_t q = 0; q < 37; ++q) {
      auto truth = brute_force(GetParam(), base, queries.row(q));
      if (q == 0) std::erase_if(truth, [](const auto& answer) { return answer.second == 3; });
      truth.resize(20);
      EXPECT_EQ(found[q], truth) << "query " << q << ", dim " << dim;
    }
  }
}

TEST_P(ExactKnn, GivesTiesToTheSmallerRowAcrossChunks) {
  const std::size_t dim = 4096;  // 256 rows are a chunk, 128 a slab
  const auto one = gaussian(1, dim, 1);
  Matrix<float> base(600, dim);
  for (std::size_t i = 0; i < base.rows; ++i) std::copy_n(one.row(0), dim, base.row(i));
  const std::vector<std::uint32_t> excluded = {1};
  const auto found = exact_knn(MatrixSource(base.view()), one.view(), excluded, {GetParam(), 3});
  ASSERT_EQ(found[0].size(), 3U);
  EXPECT_EQ(found[0][0].second, 0U);
  EXPECT_EQ(found[0][1].second, 2U);
  EXPECT_EQ(found[0][2].second, 3U);
}

INSTANTIATE_TEST_SUITE_P(Metrics, ExactKnn,
                         ::testing::Values(Metric::l2, Metric::ip, Metric::cosine),
                         [](const auto& metric) { return to_string(metric.param); });

TEST(ExactNeighbours, ReturnsAllRowsWhereThereAreFewerThanK) {
  const auto base = gaussian(2, 3, 1);
  const std::vector<std::uint32_t> excluded = {TopK::kNoRow, 1};
  const auto found = exact_knn(MatrixSource(base.view()), base.view(), excluded, {Metric::l2, 5});
  EXPECT_EQ(found[0].size(), 2U);
  EXPECT_EQ(found[1].size(), 1U);
}

TEST(ExactNeighbours, RanksByCosineWhateverTheLengths) {
  auto base = gaussian(100, 8, 1);
  const auto queries = gaussian(3, 8, 2);
  const auto before =
      exact_knn(MatrixSource(base.view()), queries.view(), {}, {Metric::cosine, 10});
  for (std::size_t i = 0; i < base.rows; ++i) {
    const float scale = std::ldexp(1.0F, static_cast<int>(i % 5) * 50 - 100);
    std::transform(base.row(i), base.row(i) + 8, base.row(i), [=](float x) { return x * scale; });
  }
  EXPECT_EQ(exact_knn(MatrixSource(base.view()), queries.view(), {}, {Metric::cosine, 10}), before);
}

}  // namespace
}  // namespace obliq
