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
    const float l2 = kernels().l2_sqr(q.data(), x, dim);
    const float distance = metric == Metric::l2   ? l2
                           : metric == Metric::ip ? -kernels().dot(q.data(), x, dim)
                                                  : l2 / 2;
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

// Powers of two round nothing, but squares of tiny numbers would be no normal floats.
TEST_P(ExactKnn, GivesTiesToTheSmallerIdWhereIdsAreGiven) {
  const auto one = gaussian(1, 19, 5);
  Matrix<float> base(60000, 19);  // more than a chunk of the same vector
  std::vector<std::int64_t> ids(base.rows);
  for (std::size_t i = 0; i < base.rows; ++i) {
    std::copy_n(one.row(0), 19, base.row(i));
    ids[i] = -static_cast<std::int64_t>(i);
  }
  ExactKnnOptions options = {GetParam(), 3};
  options.ids = ids;
  const std::vector<std::uint32_t> excluded = {59998};
  const auto found = exact_knn(MatrixSource(base.view()), one.view(), excluded, options);
  ASSERT_EQ(found[0].size(), 3U);
  EXPECT_EQ(found[0][0].second, 59999U);
  EXPECT_EQ(found[0][1].second, 59997U);
  EXPECT_EQ(found[0][2].second, 59996U);
}

TEST_P(ExactKnn, FindsTheSameRowsAtEveryScale) {
  const auto base = gaussian(700, 24, 5);
  const auto queries = gaussian(20, 24, 6);
  const auto found = exact_knn(MatrixSource(base.view()), queries.view(), {}, {GetParam(), 10});
  for (const int exponent : {-62, -50, -1, 30, 58}) {
    auto x = base;
    auto q = queries;
    for (float& value : x.values) value = std::ldexp(value, exponent);
    for (float& value : q.values) value = std::ldexp(value, exponent);
    const auto scaled = exact_knn(MatrixSource(x.view()), q.view(), {}, {GetParam(), 10});
    const int times = GetParam() == Metric::cosine ? 0 : 2 * exponent;
    for (std::size_t i = 0; i < found.size(); ++i) {
      for (std::size_t j = 0; j < 10; ++j) {
        ASSERT_EQ(scaled[i][j].second, found[i][j].second) << "2^" << exponent;
        ASSERT_EQ(scaled[i][j].first, std::ldexp(found[i][j].first, times)) << "2^" << exponent;
      }
    }
  }
}

// The power of two that suits the first chunk of the base is too large for the second.
TEST_P(ExactKnn, ComparesRowsOfVeryDifferentSizesAcrossChunks) {
  const std::size_t dim = 4096;  // 256 rows are a chunk
  auto base = gaussian(300, dim, 8);
  auto queries = gaussian(3, dim, 9);
  for (float& value : queries.values) value = std::ldexp(value, -50);
  for (std::size_t i = 0; i < base.rows; ++i) {
    const int exponent = i < 256 ? -50 : 20;
    float* x = base.row(i);
    std::transform(x, x + dim, x, [=](float value) { return std::ldexp(value, exponent); });
  }
  const auto found = exact_knn(MatrixSource(base.view()), queries.view(), {}, {GetParam(), 300});
  for (std::size_t q = 0; q < queries.rows; ++q) {
    EXPECT_EQ(found[q], brute_force(GetParam(), base, queries.row(q))) << "query " << q;
  }
}

// 1 - <q,x> would give no more than multiples of 6e-8.
TEST(ExactNeighbours, TellsSmallAnglesApartUnderCosine) {
  constexpr std::size_t kDim = 64;
  Matrix<float> base(50, kDim);
  Matrix<float> query(1, kDim);
  std::fill(query.values.begin(), query.values.end(), 1.0F);
  for (std::size_t i = 0; i < base.rows; ++i) {
    std::fill_n(base.row(i), kDim, 1.0F);
    base.row(i)[i] += 1e-4F * static_cast<float>(base.rows - i);
  }
  const auto found = exact_knn(MatrixSource(base.view()), query.view(), {}, {Metric::cosine, 50});
  for (std::size_t i = 0; i < base.rows; ++i) {
    EXPECT_EQ(found[0][i].second, base.rows - 1 - i);
    // sin^2 / 2 = e^2 (1/d - 1/d^2) / 2 of the angle that e in one of d coordinates makes; the
    // coordinates of unit vectors are rounded to 2^-28, which leaves 1 % of the smallest e.
    const double e = 1e-4 * static_cast<double>(i + 1);
    const double expected = e * e * (1.0 / kDim - 1.0 / kDim / kDim) / 2;
    EXPECT_NEAR(found[0][i].first, expected, .02 * expected);
  }
}

TEST(ExactNeighbours, KeepsZeroVectorsAtDistanceOneUnderCosine) {
  Matrix<float> base(3, 5);
  base.row(1)[0] = 2;
  base.row(2)[1] = -3;
  Matrix<float> queries(2, 5);
  queries.row(0)[0] = 7;
  const auto found = exact_knn(MatrixSource(base.view()), queries.view(), {}, {Metric::cosine, 3});
  using Answers = std::vector<TopK::Answer>;
  EXPECT_EQ(found[0], (Answers{{0.0F, 1}, {1.0F, 0}, {1.0F, 2}}));
  EXPECT_EQ(found[1], (Answers{{1.0F, 0}, {1.0F, 1}, {1.0F, 2}}));
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
