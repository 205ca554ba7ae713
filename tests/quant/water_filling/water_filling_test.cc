// Allotments of levels to components, and their packing.
#include "quant/water_filling/water_filling.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "core/random.h"
#include "measure/theory.h"
#include "quant/bit_stream.h"
#include "quant/codebook.h"
#include "tests/quant/vectors.h"

namespace obliq {
namespace {

using test_vectors::power_law;

double loss(const std::vector<double>& variances, const std::vector<std::size_t>& counts) {
  double sum = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    sum += variances[i] * level_distortions()[counts[i]];
  }
  return sum / static_cast<double>(counts.size());
}

// J. Max (1960), table I, has D for 3, 5 and 7 levels to four digits.
TEST(LevelDistortions, AreThePublishedOnesAndFall) {
  const auto losses = level_distortions();
  ASSERT_EQ(losses.size(), 257U);
  EXPECT_NEAR(losses[3], .1902, 5e-5);
  EXPECT_NEAR(losses[5], .07994, 5e-6);
  EXPECT_NEAR(losses[7], .04400, 5e-6);
  for (std::size_t n = 2; n <= 256; ++n) EXPECT_LT(losses[n], losses[n - 1]);
  for (std::size_t bits = 1; bits <= 8; ++bits) {
    EXPECT_EQ(losses[std::size_t{1} << bits], distortion(normal_codebook(bits)));
  }
}

// The last column but one of the published comparison: power laws of 128 components coded in their
// own basis, within 2 % (its own figures are simulated).
TEST(AllotWholeBits, ReachesThePublishedDistortions) {
  const struct {
    double alpha;
    std::size_t bits;
    double expected;
  } rows[] = {{.5, 1, .3288},   {.5, 2, .1080}, {.5, 4, .00890}, {1, 1, .1770},
              {1, 2, .0589},    {1, 4, .00498}, {1.5, 1, .0548}, {1.5, 2, .0182},
              {1.5, 4, .00155}, {2, 1, .0120},  {2, 2, .0038},   {2, 4, .00035}};
  for (const auto& row : rows) {
    const auto variances = power_law(128, row.alpha);
    const auto counts = allot_whole_bits(variances, 128 * row.bits);
    const double rounding = row.expected < .001 ? .02 : row.expected < .01 ? .015 : 0;
    EXPECT_NEAR(loss(variances, counts), row.expected, (.02 + rounding) * row.expected)
        << row.alpha << ' ' << row.bits;
    EXPECT_GT(loss(variances, counts),
              water_filling_distortion(variances, static_cast<double>(row.bits)));
    EXPECT_EQ(MixedRadix(counts).bits(), 128 * row.bits);
  }
}

TEST(AllotWholeBits, TreatsEqualComponentsAlikeAndStopsAtEight) {
  const std::vector<double> flat(10, 3.0);
  EXPECT_THAT(allot_whole_bits(flat, 30), testing::Each(8U));
  EXPECT_THAT(allot_whole_bits(flat, 1000), testing::Each(256U));
  EXPECT_THAT(allot_whole_bits(std::vector<double>(10), 20), testing::Each(1U));
}

// Any number of levels wins back what whole bits round away, and stays within its bits.
TEST(AllotLevels, BeatsWholeBitsAtTheSameBytes) {
  for (const double alpha : {.5, 1.0, 2.0}) {
    const auto variances = power_law(128, alpha);
    for (const std::size_t bits : {1, 2, 4}) {
      const auto counts = allot_levels(variances, 128 * bits);
      EXPECT_LE(MixedRadix(counts).bits(), 128 * bits);
      EXPECT_GE(MixedRadix(counts).bits() + 8, 128 * bits) << "bits left unused";
      EXPECT_LT(loss(variances, counts),
                loss(variances, allot_whole_bits(variances, 128 * bits)) * 1.002)
          << alpha << ' ' << bits;
    }
  }
  EXPECT_THAT(allot_levels(std::vector<double>(5), 10), testing::Each(1U));
}

TEST(MixedRadix, UnpacksWhatItPacked) {
  Random random(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::size_t> counts(1 + random.below(60));
    double bits = 0;
    for (std::size_t& count : counts) {
      count = 1 + random.below(round % 2 == 0 ? 256 : 7);
      bits += std::log2(static_cast<double>(count));
    }
    std::vector<std::uint8_t> indices;
    for (const std::size_t count : counts) {
      indices.push_back(static_cast<std::uint8_t>(random.below(count)));
    }
    const MixedRadix radix(counts);
    EXPECT_GE(static_cast<double>(radix.bits()), bits - 1e-9);
    EXPECT_LE(static_cast<double>(radix.bits()), 1.05 * bits + 2);
    std::vector<std::uint8_t> stream(stream_bytes(radix.bits()) + 1, 0xA5);
    radix.pack(indices.data(), stream.data());
    EXPECT_EQ(stream.back(), 0xA5);
    std::vector<std::uint8_t> unpacked(counts.size());
    radix.unpack(stream.data(), unpacked.data());
    EXPECT_EQ(unpacked, indices);
  }
}

TEST(MixedRadix, UnpacksAnyBytesToIndicesBelowTheCounts) {
  Random random(2);
  std::vector<std::size_t> counts(50);
  for (std::size_t& count : counts) count = 1 + random.below(256);
  const MixedRadix radix(counts);
  std::vector<std::uint8_t> stream(stream_bytes(radix.bits()));
  std::vector<std::uint8_t> indices(counts.size());
  for (int round = 0; round < 100; ++round) {
    for (std::uint8_t& byte : stream) byte = static_cast<std::uint8_t>(random.next());
    radix.unpack(stream.data(), indices.data());
    for (std::size_t i = 0; i < counts.size(); ++i) ASSERT_LT(indices[i], counts[i]);
  }
}

TEST(MixedRadix, WastesNothingOnPowersOfTwo) {
  const std::vector<std::size_t> counts = {256, 32, 32, 32, 2, 1, 1, 8};
  EXPECT_EQ(MixedRadix(counts).bits(), 8U + 15 + 1 + 3);
}

}  // namespace
}  // namespace obliq
