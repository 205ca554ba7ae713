// The measurement of distortion itself: what it accepts, and that its report depends on the seed
// alone. Its figures are held to the theory in tests/quant/estimator_test.cc.
#include "measure/distortion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

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
  const auto onehot = distortion_data("onehot", 64, 200, 1);
  int negative = 0;
  for (std::size_t i = 0; i < 200; ++i) {
    EXPECT_EQ(std::count(onehot.row(i), onehot.row(i) + 64, 0.0F), 63);
    EXPECT_EQ(norm2(onehot.row(i), 64), 1);
    negative += std::count(onehot.row(i), onehot.row(i) + 64, -1.0F) > 0 ? 1 : 0;
  }
  EXPECT_NEAR(negative, 100, 30);  // four standard errors
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

TEST(DistortionData, KnowsRandomDataFromFiles) {
  for (const char* name : {"sphere", "gaussian", "sparse", "onehot", "powerlaw:1"}) {
    EXPECT_TRUE(is_distortion_data(name)) << name;
  }
  for (const char* name : {"", "set.hdf5", "powerlaw"}) EXPECT_FALSE(is_distortion_data(name));
}

TEST(QueryLaw, OfPowerLawDataIsTheOneThatItShows) {
  const QueryLaw exact = power_law_queries("powerlaw:1", 6);
  const QueryLaw shown = query_law(distortion_data("powerlaw:1", 6, 20000, 1).view());
  for (std::size_t i = 0; i < 6; ++i) {
    for (std::size_t j = 0; j < 6; ++j) {
      // Four standard errors: sqrt(2/n) of a variance, sqrt(1/n) of a covariance of variances <= 1.
      EXPECT_NEAR(exact.moment.row(i)[j], shown.moment.row(i)[j], 4 * std::sqrt(2.0 / 20000));
    }
    EXPECT_NEAR(exact.mean[i], shown.mean[i], 4 * std::sqrt(1.0 / 20000));
  }
  EXPECT_THROW(power_law_queries("sphere", 6), std::invalid_argument);
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

TEST(MeasureDistortion, WeighsErrorsByTheLawOfQueries) {
  constexpr std::size_t kDim = 64;
  const auto data = distortion_data("sphere", kDim, 2000, 1);
  // No preferred direction: the same as without a law, but for rounding.
  const QueryLaw flat = power_law_queries("powerlaw:0", kDim);
  DistortionOptions options{2000, {}, 1, 0};
  options.law = &flat;
  const auto report = measure_distortion("lm2", data.view(), options);
  EXPECT_NEAR(report.query_mse, report.shrunk_mse, 1e-5);
  // The errors of an oblivious code have no preferred direction either: a chi-square of about
  // (sum lambda)^2 / sum lambda^2 = 14 degrees of freedom a sample.
  const QueryLaw steep = power_law_queries("powerlaw:1", kDim);
  options.law = &steep;
  const auto weighted = measure_distortion("lm2", data.view(), options);
  EXPECT_NEAR(weighted.query_mse / weighted.shrunk_mse, 1, 4 * std::sqrt(2.0 / 14 / 2000));
}

TEST(MeasureDistortion, CountsErrorsInHistograms) {
  const auto data = distortion_data("sphere", 64, 2000, 1);
  DistortionOptions options{2000, {0, .5}, 1, 2};
  options.histogram_bins = 50;
  const auto report = measure_distortion("tq1", data.view(), options);
  ASSERT_EQ(report.ip_histograms.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    const Histogram& histogram = report.ip_histograms[i];
    ASSERT_EQ(histogram.counts.size(), 50U);
    EXPECT_NEAR(histogram.low + histogram.high, 2 * report.ip_bias[i], 1e-12);
    EXPECT_NEAR(histogram.high - histogram.low, 10 * std::sqrt(report.ip_var_d[i] / 64), 1e-12);
    std::size_t all = 0;
    for (const std::size_t count : histogram.counts) all += count;
    EXPECT_EQ(all, report.queries);
    // 20 bins in the middle are two deviations to each side: 95.4 % of a normal law.
    std::size_t middle = 0;
    for (std::size_t bin = 15; bin < 35; ++bin) middle += histogram.counts[bin];
    EXPECT_NEAR(static_cast<double>(middle) / static_cast<double>(all), .954, .015);
  }
}

TEST(MeasureDistortion, RefusesQueriesOfAnotherDim) {
  const auto data = distortion_data("sphere", 16, 10, 1);
  const QueryLaw law = power_law_queries("powerlaw:1", 8);
  DistortionOptions options{10, {}, 1, 1};
  options.law = &law;
  EXPECT_THROW(measure_distortion("lm2", data.view(), options), std::invalid_argument);
  const auto training = distortion_data("sphere", 8, 10, 1);
  options.law = nullptr;
  options.training.vectors = training.view();
  EXPECT_THROW(measure_distortion("lm2", data.view(), options), std::invalid_argument);
}

TEST(EncodeAll, EncodesEveryRow) {
  const auto data = distortion_data("sphere", 64, 10, 1);
  const auto quantizer = make_quantizer("tq4", 64);
  EXPECT_NEAR(encode_all(*quantizer, data.view()), 10, 1e-4);  // the factor of tq is the norm
}

}  // namespace
}  // namespace obliq
