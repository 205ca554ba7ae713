// The vector transform alone: what it does to a vector, to its norm, and back.
#include "index/segment/vector_transform.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include "core/random.h"

namespace obliq {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr Metric kMetrics[] = {Metric::l2, Metric::ip, Metric::cosine};
constexpr std::size_t kDims[] = {1, 2, 3, 21, 64, 100, 384};

std::vector<float> gaussian(std::size_t dim, std::uint64_t seed, double scale = 1) {
  Random random(seed);
  std::vector<float> x(dim);
  for (float& value : x) value = static_cast<float>(scale * random.gaussian());
  return x;
}

double norm(const std::vector<float>& x) {
  double sum = 0;
  for (const float value : x) sum += double{value} * value;
  return std::sqrt(sum);
}

double distance(const std::vector<float>& x, const std::vector<float>& y) {
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += (double{x[i]} - y[i]) * (double{x[i]} - y[i]);
  return std::sqrt(sum);
}

std::vector<float> applied(const VectorTransform& transform, std::vector<float> x) {
  transform.apply(x.data());
  return x;
}

std::vector<float> unit(std::vector<float> x) {
  const double length = norm(x);
  for (float& value : x) value = static_cast<float>(value / length);
  return x;
}

TEST(VectorTransform, IsTakenBackByItsInverseUpToTheNorm) {
  for (const Metric metric : kMetrics) {
    for (const std::size_t dim : kDims) {
      VectorTransform transform(metric, dim, 3);
      transform.set_mean(gaussian(dim, 4, .1));
      const auto x = gaussian(dim, 5);
      auto back = applied(transform, x);
      transform.apply_inverse(back.data());
      const auto expected = metric == Metric::cosine ? unit(x) : x;
      EXPECT_LT(distance(back, expected), 1e-5 * (norm(expected) + 1))
          << to_string(metric) << " dim " << dim;
    }
  }
}

TEST(VectorTransform, KeepsNormsAndDistancesWithoutAMean) {
  for (const std::size_t dim : kDims) {
    const VectorTransform transform(Metric::l2, dim, 7);
    const auto x = gaussian(dim, 8);
    const auto y = gaussian(dim, 9);
    const auto moved = applied(transform, x);
    EXPECT_NEAR(norm(moved), norm(x), 1e-5 * norm(x)) << dim;
    EXPECT_NEAR(distance(moved, applied(transform, y)), distance(x, y), 1e-5 * distance(x, y));
    if (dim < 8) continue;
    EXPECT_GT(distance(moved, x), .1 * norm(x)) << "it does not rotate";
  }
}

TEST(VectorTransform, KeepsDistancesWithAMeanAndTakesItOff) {
  for (const Metric metric : {Metric::l2, Metric::cosine}) {
    constexpr std::size_t kDim = 40;
    VectorTransform transform(metric, kDim, 7);
    const auto x = unit(gaussian(kDim, 8));
    const auto y = unit(gaussian(kDim, 9));
    const auto before = applied(transform, x);
    const auto mean = gaussian(kDim, 10, .3);
    transform.set_mean(mean);
    EXPECT_EQ(transform.mean(), mean);
    const auto after = applied(transform, x);
    for (std::size_t i = 0; i < kDim; ++i) EXPECT_EQ(after[i], before[i] - mean[i]);
    EXPECT_NEAR(distance(after, applied(transform, y)), distance(x, y), 1e-5);
  }
}

TEST(VectorTransform, OfInnerProductsLeavesTheMeanAlone) {
  constexpr std::size_t kDim = 40;
  VectorTransform transform(Metric::ip, kDim, 7);
  const auto x = gaussian(kDim, 8);
  const auto before = applied(transform, x);
  transform.set_mean(gaussian(kDim, 10));
  EXPECT_THAT(transform.mean(), Each(0.0F));
  EXPECT_EQ(applied(transform, x), before);
}

TEST(VectorTransform, MakesCosineVectorsUnitWhateverTheirLength) {
  for (const std::size_t dim : kDims) {
    const VectorTransform transform(Metric::cosine, dim, 11);
    const auto x = gaussian(dim, 12);
    const auto moved = applied(transform, x);
    EXPECT_NEAR(norm(moved), 1, 1e-5) << dim;
    for (const float scale : {0x1p-100F, 0x1p-20F, 0x1p50F}) {
      auto scaled = x;
      for (float& value : scaled) value *= scale;
      EXPECT_LT(distance(applied(transform, scaled), moved), 1e-5) << dim << " scale " << scale;
    }
  }
}

TEST(VectorTransform, TakesTheZeroVectorToMinusTheMean) {
  for (const Metric metric : kMetrics) {
    for (const std::size_t dim : kDims) {
      VectorTransform transform(metric, dim, 13);
      const std::vector<float> zero(dim);
      EXPECT_THAT(applied(transform, zero), Each(0.0F)) << to_string(metric);
      transform.set_mean(gaussian(dim, 14));
      auto moved = applied(transform, zero);
      for (std::size_t i = 0; i < dim; ++i) EXPECT_EQ(moved[i], -transform.mean()[i]);
      transform.apply_inverse(moved.data());
      EXPECT_THAT(moved, Each(0.0F)) << to_string(metric);
    }
  }
}

TEST(VectorTransform, DependsOnTheSeedAlone) {
  const auto x = gaussian(50, 15);
  const VectorTransform one(Metric::l2, 50, 1);
  const VectorTransform same(Metric::l2, 50, 1);
  const VectorTransform other(Metric::l2, 50, 2);
  EXPECT_EQ(applied(one, x), applied(same, x));
  EXPECT_NE(applied(one, x), applied(other, x));
}

TEST(RequireFinite, NamesTheFirstValueThatIsNot) {
  Matrix<float> x(4, 3);
  EXPECT_NO_THROW(require_finite(x.view(), "query"));
  x.row(2)[1] = -std::numeric_limits<float>::infinity();
  x.row(3)[0] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(
      [&] { require_finite(x.view(), "vector", 100); },
      ThrowsMessage<std::invalid_argument>(HasSubstr("vector 102 holds infinity in column 1")));
  x.row(2)[1] = std::numeric_limits<float>::max();
  EXPECT_THAT([&] { require_finite(x.view(), "vector", 100); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("vector 102 is too long")));
}

}  // namespace
}  // namespace obliq
