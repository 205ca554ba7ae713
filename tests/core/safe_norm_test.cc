// Unit vectors of vectors whose squares no float holds, against long sums in double.
#include "core/safe_norm.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/random.h"

namespace obliq {
namespace {

void expect_unit(std::vector<float> x) {
  const std::vector<float> given = x;
  double norm2 = 0;
  for (const float value : given) norm2 += double{value} * value;
  normalise(x.data(), x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double right = given[i] / std::sqrt(norm2);
    ASSERT_NEAR(x[i], right, 1e-6 * std::abs(right) + 1e-37) << given[i] << " of " << x.size();
  }
}

TEST(SafeNorm, MakesUnitVectorsOfEverySize) {
  for (const float size : {1e-44F, 1e-40F, 1e-38F, 1e-25F, 1e-12F, 1.0F, 1e12F, 1e25F, 3e37F}) {
    for (const std::size_t dim : {1, 7, 16, 100, 1000}) {
      Random random(dim);
      std::vector<float> x(dim);
      for (float& value : x) value = size * static_cast<float>(random.gaussian());
      x[0] = size;
      expect_unit(x);
    }
  }
}

TEST(SafeNorm, MakesUnitVectorsOfTheEndsOfTheFloats) {
  using Limits = std::numeric_limits<float>;
  expect_unit({Limits::denorm_min()});
  expect_unit({-Limits::denorm_min(), Limits::denorm_min(), 0});
  expect_unit(std::vector<float>(4096, Limits::max()));
  expect_unit({Limits::max(), Limits::min(), Limits::denorm_min(), 1});
  expect_unit({1e25F, -1e-25F, 1e24F, 0});
}

TEST(SafeNorm, KeepsZeroVectors) {
  std::vector<float> x(17, 0.0F);
  normalise(x.data(), x.size());
  EXPECT_EQ(x, std::vector<float>(17, 0.0F));
}

}  // namespace
}  // namespace obliq
