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
    const auto rotated = applied(VectorTransform(Metric::l2, kDim, 7), mean);
    for (std::size_t i = 0; i < kDim; ++i) EXPECT_NEAR(after[i], before[i] - rotated[i], 1e-6);
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
      auto minus_mean = transform.mean();
      for (float& value : minus_mean) value = -value;
      transform.rotate(minus_mean.data());
      EXPECT_EQ(moved, minus_mean);
      transform.apply_inverse(moved.data());
      EXPECT_LT(norm(moved), 1e-5) << to_string(metric);
    }
  }
}

TEST(VectorTransform, TakesAScaledVectorWhereItTakesTheVector) {
  for (const Metric metric : kMetrics) {
    const auto x = gaussian(33, 16);
    auto small = x;
    for (float& value : small) value *= 0x1p-90F;
    VectorTransform transform(metric, 33, 17);
    VectorTransform scaled(metric, 33, 17);
    scaled.set_scale(0x1p90F);
    const auto mean = gaussian(33, 18);
    transform.set_mean(mean);
    scaled.set_mean(mean);
    auto moved = applied(scaled, small);
    EXPECT_EQ(moved, applied(transform, x)) << to_string(metric);
    if (metric == Metric::cosine) continue;
    scaled.apply_inverse(moved.data());
    for (std::size_t i = 0; i < 33; ++i) EXPECT_NEAR(moved[i] * 0x1p90F, x[i], 1e-5);
  }
}

// The mean comes off before the rotation, whose rounding is relative to what it rotates.
TEST(VectorTransform, KeepsSmallDifferencesFarFromTheOrigin) {
  VectorTransform transform(Metric::l2, 64, 19);
  std::vector<float> mean(64, 1000.0F);
  transform.set_mean(mean);
  auto x = mean;
  auto y = mean;
  for (std::size_t i = 0; i < 64; ++i) y[i] += i % 2 == 0 ? 0x1p-12F : 0;
  EXPECT_NEAR(distance(applied(transform, x), applied(transform, y)), distance(x, y),
              1e-5 * distance(x, y));
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
  EXPECT_THAT([&] { require_finite(x.view(), "vector", 100, Metric::cosine); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("vector 103 holds NaN in column 0")));
}

}  // namespace
}  // namespace obliq
