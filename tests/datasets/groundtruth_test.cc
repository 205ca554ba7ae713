// Exact ground truth against plain loops and against the truth that came with the sample set.
#include "datasets/groundtruth.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <tuple>

#include "core/kernels/dispatch.h"
#include "datasets/dataset.h"
#include "tests/datasets/files.h"

namespace obliq::datasets {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

GroundTruth plain_truth(MatrixView<float> base, MatrixView<float> queries, std::size_t k,
                        Metric metric) {
  GroundTruth truth{Matrix<std::int64_t>(queries.rows, k), Matrix<float>(queries.rows, k)};
  for (std::size_t q = 0; q < queries.rows; ++q) {
    std::vector<std::pair<float, std::int64_t>> all;
    for (std::size_t i = 0; i < base.rows; ++i) {
      const float* x = base.row(i);
      const float* y = queries.row(q);
      const float distance = metric == Metric::l2 ? kernels().l2_sqr(y, x, base.cols)
                                                  : -kernels().dot(y, x, base.cols);
      all.emplace_back(distance, static_cast<std::int64_t>(i));
    }
    std::sort(all.begin(), all.end());
    for (std::size_t i = 0; i < k; ++i) {
      std::tie(truth.distances.row(q)[i], truth.ids.row(q)[i]) = all[i];
    }
  }
  return truth;
}

// Vectors on a coarse grid: many equal distances.
Matrix<float> grid_vectors(std::size_t rows, std::size_t dim, std::uint64_t seed) {
  Matrix<float> vectors = gaussian_vectors(rows, dim, seed);
  for (float& value : vectors.values) value = std::round(value);
  return vectors;
}

TEST(GroundTruth, EqualsSortedPlainLoopsWithTiesByTheSmallerId) {
  for (const std::size_t dim : {1, 5, 64, 100}) {
    for (const Metric metric : {Metric::l2, Metric::ip}) {
      const Matrix<float> base = grid_vectors(700, dim, dim);
      const Matrix<float> queries = grid_vectors(37, dim, dim + 1);
      const GroundTruth truth =
          ground_truth(MatrixSource(base.view()), queries.view(), 20, metric, 2);
      const GroundTruth plain = plain_truth(base.view(), queries.view(), 20, metric);
      EXPECT_EQ(truth.ids.values, plain.ids.values) << to_string(metric) << " dim " << dim;
      EXPECT_EQ(truth.distances.values, plain.distances.values);
    }
  }
}

TEST(GroundTruth, StaysExactFarFromTheOrigin) {
  Matrix<float> base = gaussian_vectors(500, 16, 1);
  Matrix<float> queries = gaussian_vectors(9, 16, 2);
  for (float& value : base.values) value += 1000;
  for (float& value : queries.values) value += 1000;
  const GroundTruth truth = ground_truth(MatrixSource(base.view()), queries.view(), 10, Metric::l2);
  EXPECT_EQ(truth.ids.values, plain_truth(base.view(), queries.view(), 10, Metric::l2).ids.values);
}

TEST(GroundTruth, EqualsTheTruthOfTheSampleSet) {
  const BenchmarkSet set = read_set(sample_set());
  const GroundTruth truth =
      ground_truth(MatrixSource(set.train.view()), set.test.view().slice(0, 100), 100, set.metric);
  // Both computed in float32 with different orders of addition: about 1e-6.
  for (std::size_t i = 0; i < truth.distances.values.size(); ++i) {
    ASSERT_NEAR(truth.distances.values[i], set.truth.distances.values[i], 3e-6);
    if (truth.ids.values[i] == set.truth.ids.values[i]) continue;
    const auto* row = set.truth.ids.row(i / 100);
    const auto* place = std::find(row, row + 100, truth.ids.values[i]);
    const float other = place == row + 100 ? set.truth.distances.row(i / 100)[99]
                                           : set.truth.distances.row(i / 100)[place - row];
    ASSERT_NEAR(truth.distances.values[i], other, 3e-6) << "not a tie, at " << i;
  }
}

TEST(GroundTruth, DoesNotDependOnThreads) {
  const Matrix<float> base = gaussian_vectors(3000, 24, 1);
  const Matrix<float> queries = gaussian_vectors(65, 24, 2);
  const GroundTruth one = ground_truth(MatrixSource(base.view()), queries.view(), 5, Metric::l2, 1);
  const GroundTruth three =
      ground_truth(MatrixSource(base.view()), queries.view(), 5, Metric::l2, 3);
  EXPECT_EQ(one.ids.values, three.ids.values);
  EXPECT_EQ(one.distances.values, three.distances.values);
}

TEST(GroundTruth, IgnoresLengthsUnderCosine) {
  Matrix<float> base = gaussian_vectors(200, 12, 1);
  const Matrix<float> queries = gaussian_vectors(5, 12, 2);
  const GroundTruth before =
      ground_truth(MatrixSource(base.view()), queries.view(), 3, Metric::cosine);
  for (std::size_t i = 0; i < base.rows; ++i) {
    const float scale = std::ldexp(1.0F, 10 * static_cast<int>(i % 21) - 100);
    std::transform(base.row(i), base.row(i) + 12, base.row(i), [=](float x) { return x * scale; });
  }
  const GroundTruth after =
      ground_truth(MatrixSource(base.view()), queries.view(), 3, Metric::cosine);
  EXPECT_EQ(before.ids.values, after.ids.values);
  EXPECT_EQ(before.distances.values, after.distances.values);  // powers of two divide out
}

TEST(GroundTruth, GivesZeroVectorsDistanceOneUnderCosine) {
  const Matrix<float> base(2, 4);
  const Matrix<float> queries(1, 4);
  const GroundTruth truth =
      ground_truth(MatrixSource(base.view()), queries.view(), 2, Metric::cosine);
  EXPECT_THAT(truth.ids.values, ::testing::ElementsAre(0, 1));
  EXPECT_THAT(truth.distances.values, ::testing::ElementsAre(1.0F, 1.0F));
}

TEST(GroundTruth, PadsWhenKIsLargerThanTheBase) {
  const Matrix<float> base = gaussian_vectors(2, 3, 1);
  const GroundTruth truth = ground_truth(MatrixSource(base.view()), base.view(), 4, Metric::l2);
  for (std::size_t q = 0; q < 2; ++q) {
    EXPECT_EQ(truth.ids.row(q)[0], static_cast<std::int64_t>(q));
    EXPECT_EQ(truth.ids.row(q)[2], -1);
    EXPECT_EQ(truth.distances.row(q)[3], std::numeric_limits<float>::infinity());
  }
  const Matrix<float> none(0, 3);
  EXPECT_EQ(ground_truth(MatrixSource(none.view()), base.view(), 1, Metric::l2).ids.values[0], -1);
  EXPECT_EQ(ground_truth(MatrixSource(base.view()), none.view(), 1, Metric::l2).ids.rows, 0U);
}

TEST(GroundTruth, NamesTheVectorThatIsNotFinite) {
  Matrix<float> base = gaussian_vectors(300, 3, 1);
  const Matrix<float> queries = gaussian_vectors(2, 3, 2);
  base.row(271)[1] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT([&] { ground_truth(MatrixSource(base.view()), queries.view(), 1, Metric::l2); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("base vector 271")));
  base.row(1)[0] = std::numeric_limits<float>::infinity();
  EXPECT_THAT([&] { ground_truth(MatrixSource(queries.view()), base.view(), 1, Metric::l2); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("query 1")));
}

TEST(GroundTruth, RefusesKOfZeroAndUnequalDims) {
  const Matrix<float> base = gaussian_vectors(3, 3, 1);
  const Matrix<float> other = gaussian_vectors(3, 4, 1);
  EXPECT_THROW(ground_truth(MatrixSource(base.view()), base.view(), 0, Metric::l2),
               std::invalid_argument);
  EXPECT_THROW(ground_truth(MatrixSource(base.view()), other.view(), 1, Metric::l2),
               std::invalid_argument);
}

TEST(GroundTruth, StopsWhenProgressSaysSo) {
  const Matrix<float> base = gaussian_vectors(10, 3, 1);
  EXPECT_THROW(ground_truth(MatrixSource(base.view()), base.view(), 1, Metric::l2, 1,
                            [](std::string_view, double) { return false; }),
               Cancelled);
}

}  // namespace
}  // namespace obliq::datasets
