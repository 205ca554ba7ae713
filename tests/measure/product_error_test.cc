// Products of coded matrices against Gamma(R) and the universal bound of arXiv 2410.13780.
#include "measure/product_error.h"

#include <gtest/gtest.h>

#include "measure/theory.h"

namespace obliq {
namespace {

// Both sides of a comparison see the same matrices, so that what remains is the noise of the
// channel. An error is a sum of 64 x 64 squares, relative deviation sqrt(2)/64 = 2.2 % of a trial
// and .55 % of 16, over both matrices; the tolerance is about three of these.
constexpr double kTolerance = .02;
constexpr std::size_t kTrials = 16;

TEST(ProductError, OfTheIdealChannelMeetsTheUniversalBound) {
  for (const double bits : {1, 2, 3, 4}) {
    for (const double rho : {0.0, 0.3, 0.8}) {
      const ProductError channel = channel_product_error(bits, {.trials = kTrials, .rho = rho});
      EXPECT_NEAR(channel.error / channel.bound, 1, kTolerance) << bits << " bits, rho " << rho;
    }
  }
}

TEST(ProductError, OfTheIdealChannelIsGammaForMatricesThatHaveNothingInCommon) {
  for (const double bits : {1, 2, 3, 4}) {
    const ProductError channel = channel_product_error(bits, {.trials = kTrials});
    EXPECT_NEAR(channel.error / product_distortion(bits), 1, kTolerance) << bits;
    EXPECT_NEAR(channel.bound / product_distortion(bits), 1, kTolerance) << bits;
  }
}

TEST(ProductError, HasABoundThatGrowsWithTheProduct) {
  // |A^T B|^2 / (n m^2) is about 1 + rho^2 n/m, of which Gamma^2 counts.
  const double apart = channel_product_error(1, {}).bound;
  const double alike = channel_product_error(1, {.rho = .8}).bound;
  const double gamma = product_distortion(1);
  EXPECT_NEAR(alike - apart, gamma * gamma * .64 * 512 / 64, .05 * alike);
}

TEST(ProductError, OfNoCodeIsBelowGamma) {
  for (const char* spec : {"lm1", "lm2", "lm4", "tq3", "e8q2:k1", "e8q4:k1:dither", "e8q3", "e8q7",
                           "e8q14", "e8q16:k1", "d4q8", "z8"}) {
    const auto quantizer = make_quantizer(spec, 512);
    const ProductError code = quantizer_product_error(*quantizer, {.trials = 2});
    const double gamma = product_distortion(quantizer->bits());
    EXPECT_GT(code.error, gamma) << spec;
    EXPECT_LT(code.error, 3 * gamma) << spec;  // Panter and Dite: 2.72 at most
  }
}

TEST(ProductError, IsLessOfLatticesThanOfScalarsAtThreeAndFourBits) {
  const auto relative = [](const char* spec) {
    const auto quantizer = make_quantizer(spec, 512);
    return quantizer_product_error(*quantizer, {.trials = 2}).error /
           product_distortion(quantizer->bits());
  };
  EXPECT_LT(relative("e8q7"), .9 * relative("lm3"));
  EXPECT_LT(relative("e8q14"), .8 * relative("lm4"));
}

TEST(ProductError, HandlesOneColumnOfOneRow) {
  const ProductSetting one{.dim = 1, .columns = 1, .trials = 1};
  EXPECT_GE(channel_product_error(2, one).error, 0);
  EXPECT_GE(quantizer_product_error(*make_quantizer("lm4", 1), one).error, 0);
}

}  // namespace
}  // namespace obliq
