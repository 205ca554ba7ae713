// The limits of theory.h against published and independently computed numbers.
#include "measure/theory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <vector>

#include "core/random.h"
#include "quant/codebook.h"
#include "tests/quant/vectors.h"

namespace obliq {
namespace {

using test_vectors::power_law;

TEST(Theory, LloydMaxLiesBetweenShannonAndPanterDite) {
  for (std::size_t bits = 1; bits <= 8; ++bits) {
    const auto b = static_cast<double>(bits);
    const double lm = distortion(normal_codebook(bits));
    EXPECT_GT(lm, shannon_distortion(b));
    EXPECT_LT(lm, panter_dite_distortion(b));
    EXPECT_NEAR(gap_bits(lm, b) - gap_bits(shannon_distortion(b), b),
                0.5 * std::log2(lm / shannon_distortion(b)), 1e-12);
  }
  EXPECT_NEAR(panter_dite_distortion(0), 2.7207, 5e-5);
  EXPECT_NEAR(gap_bits(distortion(normal_codebook(8)), 8), .7162, 5e-5);
}

TEST(Theory, TheBestUnbiasedVarianceIsThatOfAGaussianChannel) {
  const double expected[] = {.3333, .0667, .01587, .003922, .000978};
  for (int b = 1; b <= 5; ++b) EXPECT_NEAR(unbiased_variance(b) / expected[b - 1], 1, 1e-3) << b;
}

TEST(ProductDistortion, HasItsPublishedValues) {
  EXPECT_NEAR(product_knee(), .9063235370, 5e-11);
  EXPECT_NEAR(product_distortion(product_knee()), .48830033, 5e-9);
  const struct {
    double bits;
    double gamma;
  } rows[] = {{0, 1},         {.25, .858853}, {.5, .717706}, {1, .4375},
              {1.5, .234375}, {2, .121094},   {3, .031006},  {4, .0077972}};
  for (const auto& row : rows) EXPECT_NEAR(product_distortion(row.bits), row.gamma, 5e-7);
}

TEST(ProductDistortion, IsContinuousWithOneSlopeAtTheKnee) {
  const double knee = product_knee();
  const double h = 1e-5;
  const double at = product_distortion(knee);
  EXPECT_NEAR(product_distortion(knee - 1e-12), at, 1e-10);
  // Central values of either side: the curvature, below 2, moves them by h.
  const double below = (at - product_distortion(knee - h)) / h;
  const double above = (product_distortion(knee + h) - at) / h;
  EXPECT_NEAR(below, above, 2 * h);
}

// As multiples of 4^-b, b = 1..5.
TEST(CapDistortion, HasItsPublishedValues) {
  const struct {
    std::size_t dim;
    double ratios[5];
  } rows[] = {{16, {1.073, .992, .907, .827, .754}},
              {32, {1.056, 1.017, .974, .932, .891}},
              {64, {1.038, 1.019, .998, .976, .955}},
              {128, {1.024, 1.015, 1.004, .993, .983}},
              {256, {1.015, 1.010, 1.005, .999, .994}}};
  for (const auto& row : rows) {
    for (int b = 1; b <= 5; ++b) {
      EXPECT_NEAR(cap_distortion(row.dim, b) * std::exp2(2 * b), row.ratios[b - 1], 6e-4)
          << row.dim << ' ' << b;
    }
  }
}

// On a circle the cap is an arc of half-angle a = pi 4^-b, whose mean cosine is sin(a)/a.
TEST(CapDistortion, IsThatOfAnArcOnTheCircle) {
  for (const double bits : {1.0, 1.5, 2.0, 4.0}) {
    const double angle = std::numbers::pi * std::exp2(-2 * bits);
    const double mean = std::sin(angle) / angle;
    EXPECT_NEAR(cap_distortion(2, bits), 1 - mean * mean, 1e-10) << bits;
  }
}

TEST(CapDistortion, LiesBelowEveryLloydMaxCode) {
  for (const std::size_t dim : {2, 3, 16, 128, 1536}) {
    for (std::size_t bits = 1; bits <= 8; ++bits) {
      const double floor = cap_distortion(dim, static_cast<double>(bits));
      EXPECT_GT(floor, 0);
      EXPECT_LT(floor, distortion(sphere_codebook(bits, dim))) << dim << ' ' << bits;
    }
  }
}

// n = 128, eigenvalues i^-alpha: water-filling at R and at R - .11, and the random-coding curve.
TEST(Spectrum, LimitsOfPowerLawsHaveTheirPublishedValues) {
  const struct {
    double alpha, bits, water, water_below, random;
  } rows[] = {
      {.5, 1, .2170, .2527, .2181},        {.5, 2, .05425, .06319, .05426},
      {.5, 4, .003391, .003949, .003391},  {1, 1, .1219, .1419, .1242},
      {1, 2, .03046, .03548, .03050},      {1, 4, .001904, .002218, .001904},
      {1.5, 1, .0391, .0456, .0410},       {1.5, 2, .00977, .01138, .00980},
      {1.5, 4, .000611, .000711, .000611}, {2, 1, .00850, .01008, .00929},
      {2, 2, .00209, .00244, .00211},      {2, 4, .000131, .000152, .000131},
  };
  for (const auto& row : rows) {
    const auto spectrum = power_law(128, row.alpha);
    // Half a unit of the last digit given, which is the fourth or, at the smallest, the third.
    const auto near = [&](double value, double expected) {
      double unit = 1e-4;
      while (expected < 1000 * unit && std::abs(std::remainder(expected, unit)) > 1e-9) unit /= 10;
      EXPECT_NEAR(value, expected, .51 * unit) << row.alpha << ' ' << row.bits;
    };
    near(water_filling_distortion(spectrum, row.bits), row.water);
    near(water_filling_distortion(spectrum, row.bits - .11), row.water_below);
    near(random_coding_distortion(spectrum, row.bits), row.random);
  }
}

TEST(Spectrum, DistortionsAndRatesAreEachOthersInverse) {
  for (const double alpha : {0.0, .7, 2.0}) {
    auto spectrum = power_law(60, alpha);
    spectrum.push_back(0);
    for (const double bits : {.05, .5, 1.0, 3.0}) {
      const double water = water_filling_distortion(spectrum, bits);
      EXPECT_NEAR(water_filling_bits(spectrum, water), bits, 1e-9);
      const double random = random_coding_distortion(spectrum, bits);
      EXPECT_NEAR(random_coding_bits(spectrum, random), bits, 1e-9);
      EXPECT_GE(random, water * (1 - 1e-12));
    }
  }
  EXPECT_NEAR(water_filling_distortion(power_law(60, 1), 0), 1, 1e-12);
  EXPECT_NEAR(random_coding_distortion(power_law(60, 1), 0), 1, 1e-12);
}

// One direction of most of the energy, as the mean query has: what it alone would leave of the
// water is no double.
TEST(Spectrum, MayBeLongAndSteep) {
  std::vector<double> spectrum(800, 1.0);
  spectrum[7] = 1e6;
  spectrum[9] = 0;
  for (const double bits : {.5, 4.0, 8.0}) {
    const double water = water_filling_distortion(spectrum, bits);
    EXPECT_GT(water, 0);
    EXPECT_NEAR(water_filling_bits(spectrum, water), bits, 1e-9);
  }
}

TEST(Spectrum, FlatSpectraPayNoPrice) {
  for (const std::size_t zeros : {0, 5, 90}) {
    std::vector<double> spectrum(100, 1.0);
    std::fill_n(spectrum.begin(), zeros, 0.0);
    const double share = static_cast<double>(100 - zeros) / 100;
    for (const double bits : {.1, 1.0, 4.0}) {
      const double expected = share * shannon_distortion(bits / share);
      EXPECT_NEAR(water_filling_distortion(spectrum, bits) / expected, 1, 1e-9);
      EXPECT_NEAR(random_coding_distortion(spectrum, bits) / expected, 1, 1e-9);
      EXPECT_NEAR(universality_price(spectrum, expected), 0, 1e-9);
    }
  }
}

TEST(UniversalityPrice, IsNeverAboveItsBound) {
  Random random(7);
  double worst = 0;
  for (int draw = 0; draw < 400; ++draw) {
    std::vector<double> spectrum(1 + random.below(40));
    const double spread = 6 * random.uniform();
    for (double& value : spectrum) value = std::exp(spread * random.gaussian());
    double sum = 0;
    for (const double value : spectrum) sum += value;
    const double all = sum / static_cast<double>(spectrum.size());
    const double distortion = all * std::exp(-12 * random.uniform());
    const double price = universality_price(spectrum, distortion);
    EXPECT_GT(price, -1e-9);
    worst = std::max(worst, price);
  }
  EXPECT_LT(worst, .11);
  EXPECT_GT(worst, .05);  // the draws do come near
}

TEST(UniversalityPrice, IsLargestForATwoPointSpectrum) {
  EXPECT_NEAR(worst_price(), .10833, 5e-6);
  EXPECT_NEAR(two_point_price(.34737), worst_price(), 1e-9);
  // 815 of 1000 eigenvalues at .884, the rest as good as infinite; T = .397.
  std::vector<double> spectrum(1000, 1e12);
  std::fill_n(spectrum.begin(), 815, .884);
  double loss = 0;
  for (const double value : spectrum) loss += value / (1 + .397 * value) / 1000;
  EXPECT_NEAR(universality_price(spectrum, loss), worst_price(), 2e-5);
}

// At the distortion that water-filling reaches with R bits; far below the worst.
TEST(UniversalityPrice, IsSmallForPowerLaws) {
  const struct { double alpha, price; } rows[] = {{.5, .0035}, {1, .013}, {2, .054}};
  for (const auto& row : rows) {
    const auto spectrum = power_law(128, row.alpha);
    const auto price = [&](double bits) {
      return universality_price(spectrum, water_filling_distortion(spectrum, bits));
    };
    EXPECT_NEAR(price(1), row.price, row.price > .01 ? 6e-4 : 6e-5) << row.alpha;
    EXPECT_LT(price(2), .006) << row.alpha;
  }
}

}  // namespace
}  // namespace obliq
