// The measurement of distortion itself: what it accepts, and that its report depends on the seed
// alone. Its figures are held to the theory in quant_estimator_test.cc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "quant/distortion.h"

namespace obliq {
namespace {

double norm2(const float* x, std::size_t dim) {
  double sum = 0;
  for (std::size_t i = 0; i < dim; ++i) sum += double{x[i]} * x[i];
  return sum;
}

TEST(DistortionData, HasTheShapeThatItsNameSays) {
  const auto sphere = distortion_data("sphere", 50, 20, 1);
  for (std::size_t i = 0; i < 20; ++i) EXPECT_NEAR(norm2(sphere.row(i), 50), 1, 1e-5);
  const auto sparse = distortion_data("sparse", 64, 20, 1);
  for (std::size_t i = 0; i < 20; ++i) {
    EXPECT_GE(std::count(sparse.row(i), sparse.row(i) + 64, 0.0F), 60);
    EXPECT_GT(norm2(sparse.row(i), 64), 0);
  }
  // Mean square of coordinate i is i^-2: standard error sqrt(2/n) of it.
  const auto decaying = distortion_data("powerlaw:2", 4, 4000, 1);
  for (std::size_t i = 0; i < 4; ++i) {
    double square = 0;
    for (std::size_t n = 0; n < 4000; ++n)
      square += double{decaying.row(n)[i]} * decaying.row(n)[i];
    const double expected = 1.0 / static_cast<double>((i + 1) * (i + 1));
    EXPECT_NEAR(square / 4000, expected, 4 * std::sqrt(2.0 / 4000) * expected);
  }
}

TEST(DistortionData, DrawsTheFirstRowsAlikeForAnyNumberOfThem) {
  const auto few = distortion_data("gaussian", 10, 5, 3);
  const auto many = distortion_data("gaussian", 10, 50, 3);
  EXPECT_TRUE(std::equal(few.values.begin(), few.values.end(), many.values.begin()));
}

TEST(DistortionData, RefusesUnknownNames) {
  for (const char* name : {"", "spheres", "powerlaw", "powerlaw:", "powerlaw:x", "powerlaw:1x",
                           "powerlaw:nan", "powerlaw:99"}) {
    try {
      distortion_data(name, 8, 1, 1);
      FAIL() << "accepted '" << name << "'";
    } catch (const std::invalid_argument& error) {
      EXPECT_THAT(error.what(), testing::HasSubstr("'" + std::string(name) + "'"));
    }
  }
}

TEST(MeasureDistortion, DoesNotDependOnTheNumberOfThreads) {
  const auto data = distortion_data("gaussian", 40, 100, 1);
  const auto one = measure_distortion("lm3", data.view(), {1000, {0, .5}, 2, 1});
  const auto three = measure_distortion("lm3", data.view(), {1000, {0, .5}, 2, 3});
  EXPECT_EQ(one.mse, three.mse);
  EXPECT_EQ(one.ip_bias, three.ip_bias);
  EXPECT_EQ(one.ip_var_d, three.ip_var_d);
}

TEST(MeasureDistortion, ReportsTheSizeOfACodeWithHalfPrecisionFactors) {
  const auto data = distortion_data("sphere", 100, 1, 1);
  const auto lm4 = measure_distortion("lm4", data.view(), {1, {}, 1, 1});
  EXPECT_EQ(lm4.spec, "lm4");
  EXPECT_EQ(lm4.bits, 4);
  EXPECT_EQ(lm4.bytes_per_vector, 4 * 13 + 2);
  EXPECT_EQ(measure_distortion("tqp3", data.view(), {1, {}, 1, 1}).bytes_per_vector, 3 * 13 + 4);
}

// gap = log2(D 4^b)/2 with D = .36338 at 1 bit: .2698 in the limit, .265 at dim 128.
TEST(MeasureDistortion, ReportsTheGapToShannon) {
  const auto data = distortion_data("sphere", 128, 2000, 1);
  for (const char* spec : {"lm1", "tq1"}) {
    const auto report = measure_distortion(spec, data.view(), {2000, {}, 1, 0});
    EXPECT_NEAR(report.gap_bits, .265, .005) << spec;
  }
}

TEST(MeasureDistortion, LeavesZeroVectorsOut) {
  Matrix<float> data(3, 16);
  data.row(1)[4] = 2;
  const auto report = measure_distortion("lm2", data.view(), {100, {0, 1}, 1, 1});
  EXPECT_TRUE(std::isfinite(report.mse));
  EXPECT_NEAR(report.ip_bias[1], 0, 1e-5);
  const Matrix<float> zeros(3, 16);
  EXPECT_THROW(measure_distortion("lm2", zeros.view(), {}), std::invalid_argument);
}

TEST(MeasureDistortion, RefusesWhatItCannotMeasure) {
  const auto data = distortion_data("sphere", 16, 10, 1);
  EXPECT_THROW(measure_distortion("pq4", data.view(), {}), std::invalid_argument);
  EXPECT_THROW(measure_distortion("lm2", data.view(), {0, {0}, 1, 1}), std::invalid_argument);
  EXPECT_THROW(measure_distortion("lm2", data.view(), {10, {1.1}, 1, 1}), std::invalid_argument);
  EXPECT_THROW(measure_distortion("lm2", data.view(), {10, {NAN}, 1, 1}), std::invalid_argument);
}

TEST(EncodeAll, EncodesEveryRow) {
  const auto data = distortion_data("sphere", 64, 10, 1);
  const auto quantizer = make_quantizer("tq4", 64);
  EXPECT_NEAR(encode_all(*quantizer, data.view()), 10, 1e-4);  // the factor of tq is the norm
}

}  // namespace
}  // namespace obliq
