// Generated sets: the same bits everywhere, and the covariance that was asked for.
#include "datasets/generate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/half.h"

namespace obliq::datasets {
namespace {

GenerateOptions options(const std::string& kind, std::size_t n, std::size_t dim) {
  GenerateOptions chosen;
  chosen.kind = kind;
  chosen.n = n;
  chosen.dim = dim;
  chosen.queries = 100;
  return chosen;
}

// FNV-1a over the bits of the values.
std::uint64_t fingerprint(const Matrix<float>& vectors) {
  std::uint64_t hash = 0xCBF29CE484222325ULL;
  for (const float value : vectors.values) {
    hash = (hash ^ std::bit_cast<std::uint32_t>(value)) * 0x100000001B3ULL;
  }
  return hash;
}

double dot(const float* x, const float* y, std::size_t dim) {
  double sum = 0;
  for (std::size_t d = 0; d < dim; ++d) sum += static_cast<double>(x[d]) * y[d];
  return sum;
}

std::vector<double> mean(const Matrix<float>& vectors) {
  std::vector<double> sums(vectors.cols);
  for (std::size_t i = 0; i < vectors.values.size(); ++i) {
    sums[i % vectors.cols] += vectors.values[i] / static_cast<double>(vectors.rows);
  }
  return sums;
}

double mean_square(const Matrix<float>& vectors) {
  return dot(vectors.values.data(), vectors.values.data(), vectors.values.size()) /
         static_cast<double>(vectors.values.size());
}

TEST(Generate, GivesTheSameBitsForAnyNumberOfThreads) {
  for (const std::string kind : {"gaussian", "clustered"}) {
    const BenchmarkSet one = generate(options(kind, 5000, 33), 1);
    const BenchmarkSet three = generate(options(kind, 5000, 33), 3);
    EXPECT_EQ(one.train.values, three.train.values) << kind;
    EXPECT_EQ(one.test.values, three.test.values) << kind;
  }
}

TEST(Generate, GivesTheBitsThatItAlwaysGave) {
  EXPECT_EQ(fingerprint(generate(options("gaussian", 1500, 40)).train), 5658175733707898755U);
  EXPECT_EQ(fingerprint(generate(options("clustered", 1500, 40)).train), 17642500446908531632U);
}

TEST(Generate, GivesOtherVectorsForOtherSeedsAndForQueries) {
  for (const std::string kind : {"gaussian", "clustered"}) {
    GenerateOptions chosen = options(kind, 100, 8);
    const BenchmarkSet set = generate(chosen);
    EXPECT_EQ(set.test.rows, 100U);
    EXPECT_NE(set.train.values, set.test.values);
    chosen.seed = 8;
    EXPECT_NE(generate(chosen).train.values, set.train.values);
  }
}

TEST(Generate, MakesIndependentStandardNormals) {
  const BenchmarkSet set = generate(options("gaussian", 20000, 50));
  // A million samples: the mean square has deviation sqrt(2 / 1e6) = 0.0014; 5 of them allowed. A
  // coordinate's mean has deviation 1 / sqrt(20000) = 0.007.
  EXPECT_NEAR(mean_square(set.train), 1, 0.007);
  for (const double value : mean(set.train)) EXPECT_NEAR(value, 0, 0.035);
}

TEST(Generate, GivesClusteredSetsTheSpectrumAskedFor) {
  GenerateOptions chosen = options("clustered", 20000, 64);
  chosen.within = 1;
  chosen.alpha = 1;
  const BenchmarkSet set = generate(chosen);
  double trace = 0;
  double square_trace = 0;
  for (int i = 1; i <= 64; ++i) trace += 1.0 / i;
  for (int i = 1; i <= 64; ++i) square_trace += std::pow(64.0 / trace / i, 2);
  // For independent x and y, E<x,y>^2 = tr(C^2), with relative deviation below 3 over 10,000
  // pairs: 0.03, of which 5 are allowed. The trace: sqrt(2 tr(C^2) / n) / 64 = 0.0027.
  double measured = 0;
  for (std::size_t i = 0; i < 20000; i += 2) {
    measured += std::pow(dot(set.train.row(i), set.train.row(i + 1), 64), 2) / 10000;
  }
  EXPECT_NEAR(measured / square_trace, 1, 0.15);
  EXPECT_NEAR(mean_square(set.train), 1, 0.014);
}

TEST(Generate, MixesTheSpectrumIntoEveryCoordinate) {
  GenerateOptions chosen = options("clustered", 4000, 64);
  chosen.within = 1;
  chosen.alpha = 1;
  const BenchmarkSet set = generate(chosen);
  // Along its own axes variances run from 13.5 to 0.2. In a random basis the variance of one
  // coordinate has mean 1 and deviation about sqrt(2 tr(C^2)) / 64 = 0.38.
  for (std::size_t d = 0; d < 64; ++d) {
    double variance = 0;
    for (std::size_t i = 0; i < 4000; ++i) variance += std::pow(set.train.row(i)[d], 2) / 4000;
    EXPECT_GT(variance, 0.25);
    EXPECT_LT(variance, 4);
  }
}

TEST(Generate, PutsAllRowsOnCentresWithoutWithinVariance) {
  GenerateOptions chosen = options("clustered", 2000, 16);
  chosen.within = 0;
  chosen.clusters = 9;
  const BenchmarkSet set = generate(chosen);
  std::set<std::vector<float>> places;
  for (std::size_t i = 0; i < 2000; ++i) {
    places.emplace(set.train.row(i), set.train.row(i) + 16);
  }
  EXPECT_EQ(places.size(), 9U);
}

TEST(Generate, ShiftsQueriesAsFarAsAsked) {
  GenerateOptions chosen = options("clustered", 20000, 256);
  chosen.queries = 20000;
  chosen.clusters = 20000;
  chosen.alpha = 0;
  chosen.query_shift = 2;
  const BenchmarkSet set = generate(chosen);
  const std::vector<double> base = mean(set.train);
  const std::vector<double> queries = mean(set.test);
  double distance2 = 0;
  for (std::size_t d = 0; d < 256; ++d) distance2 += std::pow(queries[d] - base[d], 2);
  // One draw of a centre, |c|^2 = 128 on the mean with deviation sqrt(2 / 256) = 0.09 of it, times
  // 4; the means of 20,000 rows move it by less than 0.02.
  EXPECT_NEAR(distance2 / 512, 1, 0.45);
}

TEST(Generate, MakesQueriesToLearnFromBesideTheOthers) {
  for (const std::string kind : {"gaussian", "clustered"}) {
    GenerateOptions chosen = options(kind, 200, 8);
    const BenchmarkSet without = generate(chosen);
    EXPECT_EQ(without.learn_queries.rows, 0U);
    chosen.learn_queries = 100;
    const BenchmarkSet with = generate(chosen);
    EXPECT_EQ(with.train.values, without.train.values);
    EXPECT_EQ(with.test.values, without.test.values);
    std::set<std::vector<float>> rows;
    for (std::size_t i = 0; i < 100; ++i) {
      rows.emplace(with.test.row(i), with.test.row(i) + 8);
      rows.emplace(with.learn_queries.row(i), with.learn_queries.row(i) + 8);
    }
    EXPECT_EQ(rows.size(), 200U);
  }
}

TEST(Generate, SpreadsQueriesByTheirOwnSpectrum) {
  GenerateOptions chosen = options("clustered", 10, 64);
  chosen.queries = 20000;
  chosen.within = 1;
  chosen.alpha = 1;
  chosen.query_alpha = 0;
  const BenchmarkSet set = generate(chosen);
  // Of identity covariance E<x,y>^2 = dim = 64, of the base's it is 499. Over 10,000 pairs its
  // relative deviation is below 0.02, of which 5 are allowed.
  double measured = 0;
  for (std::size_t i = 0; i < 20000; i += 2) {
    measured += std::pow(dot(set.test.row(i), set.test.row(i + 1), 64), 2) / 10000;
  }
  EXPECT_NEAR(measured / 64, 1, 0.1);
}

TEST(Generate, AsksForFirstCentresMoreOftenWithASkew) {
  GenerateOptions chosen = options("clustered", 6000, 16);
  chosen.queries = 6000;
  chosen.within = 0;
  chosen.clusters = 3;
  chosen.query_skew = 1;
  const BenchmarkSet set = generate(chosen);
  std::map<std::vector<float>, std::size_t> asked;
  std::map<std::vector<float>, std::size_t> held;
  for (std::size_t i = 0; i < 6000; ++i) {
    ++asked[{set.test.row(i), set.test.row(i) + 16}];
    ++held[{set.train.row(i), set.train.row(i) + 16}];
  }
  ASSERT_EQ(asked.size(), 3U);
  std::vector<std::size_t> counts;
  for (const auto& [place, count] : asked) {
    counts.push_back(count);
    EXPECT_NEAR(static_cast<double>(held[place]), 2000, 185);  // 5 deviations of sqrt(6000 2/9)
  }
  std::sort(counts.begin(), counts.end());
  // Weights 1, 1/2, 1/3 of 11/6; a count's deviation is at most sqrt(6000 / 4) = 39.
  EXPECT_NEAR(static_cast<double>(counts[2]), 6000 * 6 / 11., 195);
  EXPECT_NEAR(static_cast<double>(counts[1]), 6000 * 3 / 11., 195);
  EXPECT_NEAR(static_cast<double>(counts[0]), 6000 * 2 / 11., 195);
}

TEST(Generate, RoundsToHalvesWhereAFileIsToHoldThem) {
  GenerateOptions chosen = options("clustered", 200, 8);
  chosen.learn_queries = 10;
  const BenchmarkSet floats = generate(chosen);
  chosen.stored = Stored::float16;
  const BenchmarkSet halves = generate(chosen);
  const auto check = [](const Matrix<float>& rounded, const Matrix<float>& exact) {
    for (std::size_t i = 0; i < exact.values.size(); ++i) {
      ASSERT_EQ(rounded.values[i], half_to_float(float_to_half(exact.values[i])));
    }
  };
  check(halves.train, floats.train);
  check(halves.test, floats.test);
  check(halves.learn_queries, floats.learn_queries);
}

TEST(Generate, RefusesWhatHasNoMeaning) {
  const auto refused = [](const std::function<void(GenerateOptions&)>& change) {
    GenerateOptions chosen = options("clustered", 10, 4);
    change(chosen);
    EXPECT_THROW(generate(chosen), std::invalid_argument);
  };
  refused([](GenerateOptions& o) { o.kind = "uniform"; });
  refused([](GenerateOptions& o) { o.n = 0; });
  refused([](GenerateOptions& o) { o.dim = 0; });
  refused([](GenerateOptions& o) { o.alpha = -0.1; });
  refused([](GenerateOptions& o) { o.alpha = std::numeric_limits<double>::quiet_NaN(); });
  refused([](GenerateOptions& o) { o.within = 1.1; });
  refused([](GenerateOptions& o) { o.query_shift = -1; });
  refused([](GenerateOptions& o) { o.query_alpha = -1; });
  refused([](GenerateOptions& o) { o.query_skew = std::numeric_limits<double>::infinity(); });
  EXPECT_THROW(generate(options("gaussian", 10, 4), -1), std::invalid_argument);
}

TEST(Generate, TakesTheSmallestAndTheSteepest) {
  GenerateOptions chosen = options("clustered", 1, 1);
  chosen.queries = 0;
  EXPECT_EQ(generate(chosen).test.rows, 0U);
  chosen = options("clustered", 50, 20);
  chosen.alpha = 1e300;
  for (const float value : generate(chosen).train.values) ASSERT_TRUE(std::isfinite(value));
}

}  // namespace
}  // namespace obliq::datasets
