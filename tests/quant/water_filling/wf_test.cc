// wf against the limits that it is to approach, its state, and what it learns. The properties that
// it shares with every quantizer are in tests/quant/quantizer_test.cc.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "measure/distortion.h"
#include "measure/theory.h"

namespace obliq {
namespace {

std::vector<double> power_law(std::size_t n, double alpha) {
  std::vector<double> spectrum(n);
  for (std::size_t i = 0; i < n; ++i) spectrum[i] = std::pow(static_cast<double>(i + 1), -alpha);
  return spectrum;
}

// The published comparison, last column but one: x uniform on the sphere, queries of a power law,
// 128 components. 7 % is what learning the moments from 4,000 vectors and 4,000 queries may add.
TEST(WaterFillingCode, ReachesThePublishedDistortionsForALawOfQueries) {
  const struct {
    double alpha;
    const char* spec;
    double expected;
  } rows[] = {{.5, "wf2", .1080},  {1, "wf1", .1770}, {1, "wf2", .0589}, {1, "wf4", .00498},
              {1.5, "wf2", .0182}, {2, "wf1", .0120}, {2, "wf2", .0038}};
  const auto data = distortion_data("sphere", 128, 1000, 1);
  const auto training = distortion_data("sphere", 128, 4000, 2);
  for (const auto& row : rows) {
    const std::string name = fmt::format("powerlaw:{}", row.alpha);
    const auto queries = distortion_data(name, 128, 4000, 3);
    const QueryLaw law = power_law_queries(name, 128);
    DistortionOptions options{1000, {}, 1, 0};
    options.training = {training.view(), queries.view()};
    options.law = &law;
    const auto report = measure_distortion(row.spec, data.view(), options);
    EXPECT_NEAR(report.query_mse / row.expected, 1, .07) << row.spec << ' ' << name;
    auto spectrum = power_law(128, row.alpha);
    double mean = 0;
    for (const double value : spectrum) mean += value / 128;
    EXPECT_GT(report.query_mse, water_filling_distortion(spectrum, report.bits) / mean);
  }
}

// Gaussian vectors of a power law: far below what their dimension costs without PCA, above what
// water-filling allows; more levels to choose from help.
TEST(WaterFillingCode, LearnsThePrincipalComponentsOfVectors) {
  const auto data = distortion_data("powerlaw:1", 96, 1500, 1);
  const auto training = distortion_data("powerlaw:1", 96, 6000, 2);
  DistortionOptions options{1500, {0, .9}, 1, 0};
  const double plain = measure_distortion("wf2", data.view(), options).shrunk_mse;
  EXPECT_NEAR(plain, measure_distortion("tq2", data.view(), options).shrunk_mse, .004);
  options.training.vectors = training.view();
  const auto whole = measure_distortion("wf2", data.view(), options);
  const auto fractional = measure_distortion("wf2:fractional", data.view(), options);
  // |x| is divided out, and differs between vectors: not quite the law of one spectrum.
  auto spectrum = power_law(96, 1);
  double mean = 0;
  for (const double value : spectrum) mean += value / 96;
  const double limit = water_filling_distortion(spectrum, 2) / mean;
  EXPECT_GT(whole.shrunk_mse, limit);
  EXPECT_LT(whole.shrunk_mse, .65 * plain);
  EXPECT_LT(fractional.shrunk_mse, whole.shrunk_mse);
  EXPECT_GT(fractional.shrunk_mse, limit);
  EXPECT_LE(fractional.bytes_per_vector, whole.bytes_per_vector);
  EXPECT_NEAR(whole.ip_bias[1], 0, 4 * std::sqrt(whole.ip_var_d[1] / 96 / 6000) + 1e-6);
}

QuantizerPtr trained(const std::string& spec, std::size_t dim, bool with_queries) {
  const auto vectors = distortion_data("powerlaw:1", dim, 500, 1);
  const auto queries = distortion_data("powerlaw:1", dim, with_queries ? 500 : 0, 2);
  return make_quantizer(spec, dim, 5)->train({vectors.view(), queries.view(), 1});
}

TEST(WaterFillingCode, IsRebuiltFromItsState) {
  constexpr std::size_t kDim = 30;
  const auto data = distortion_data("powerlaw:1", kDim, 5, 3);
  for (const char* spec : {"wf2", "wf3:fractional"}) {
    for (const bool with_queries : {false, true}) {
      const auto first = trained(spec, kDim, with_queries);
      const auto again = make_quantizer(spec, kDim, 5, first->state());
      ASSERT_EQ(first->layout().code_bytes, again->layout().code_bytes);
      EXPECT_EQ(first->state(), again->state());
      for (std::size_t i = 0; i < data.rows; ++i) {
        std::vector<std::uint8_t> codes[2];
        std::vector<float> decoded[2];
        Factors factors[2];
        for (const int q : {0, 1}) {
          const Quantizer& quantizer = q == 0 ? *first : *again;
          codes[q].resize(quantizer.layout().code_bytes);
          decoded[q].resize(kDim);
          quantizer.encode(data.row(i), codes[q].data(), factors[q]);
          quantizer.decode(codes[q].data(), factors[q], decoded[q].data());
        }
        EXPECT_EQ(codes[0], codes[1]);
        EXPECT_EQ(factors[0], factors[1]);
        EXPECT_EQ(decoded[0], decoded[1]);
      }
    }
  }
}

TEST(WaterFillingCode, RefusesDamagedState) {
  constexpr std::size_t kDim = 12;
  const std::vector<std::uint8_t> good = trained("wf2", kDim, false)->state();
  const auto refused = [&](const std::vector<std::uint8_t>& state, const char* spec = "wf2") {
    EXPECT_THROW(make_quantizer(spec, kDim, 5, state), std::invalid_argument) << state.size();
  };
  for (std::size_t size = 1; size < good.size(); size += size < 40 ? 1 : 97) {
    refused({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)});
  }
  refused(good, "wf1");  // more bits than a code of wf1 has
  auto longer = good;
  longer.push_back(0);
  refused(longer);
  for (const std::size_t byte : {0, 1, 3, 4, 7}) {  // width and flag
    auto damaged = good;
    damaged[byte] ^= 0xFF;
    refused(damaged);
  }
  for (const float value :
       {std::numeric_limits<float>::quiet_NaN(), 1e30F, -std::numeric_limits<float>::infinity()}) {
    auto damaged = good;
    std::memcpy(damaged.data() + damaged.size() - sizeof value, &value, sizeof value);
    refused(damaged);
  }
}

TEST(WaterFillingCode, LearnsTheSameOnAnyNumberOfThreads) {
  const auto vectors = distortion_data("powerlaw:1", 40, 300, 1);
  const auto untrained = make_quantizer("wf2", 40);
  EXPECT_EQ(untrained->train({vectors.view(), {}, 1})->state(),
            untrained->train({vectors.view(), {}, 3})->state());
}

TEST(WaterFillingCode, StaysUntrainedOnZeroVectors) {
  const Matrix<float> zeros(20, 10);
  const auto quantizer = make_quantizer("wf2", 10)->train({zeros.view(), {}, 1});
  EXPECT_THAT(quantizer->state(), testing::IsEmpty());
}

// Vectors in 3 of 20 dimensions: the others get nothing.
TEST(WaterFillingCode, TakesVectorsOfLowRank) {
  Matrix<float> flat = distortion_data("gaussian", 20, 300, 1);
  for (std::size_t i = 0; i < flat.rows; ++i) std::fill(flat.row(i) + 3, flat.row(i) + 20, 0.0F);
  const auto quantizer = make_quantizer("wf2", 20)->train({flat.view(), {}, 1});
  EXPECT_EQ(quantizer->layout().code_bytes, 3U);  // 8 bits each
  std::vector<std::uint8_t> code(quantizer->layout().code_bytes);
  std::vector<float> decoded(20);
  Factors factors{};
  quantizer->encode(flat.row(0), code.data(), factors);
  quantizer->decode(code.data(), factors, decoded.data());
  for (std::size_t i = 0; i < 20; ++i) EXPECT_NEAR(decoded[i], flat.row(0)[i], .1);
}

}  // namespace
}  // namespace obliq
