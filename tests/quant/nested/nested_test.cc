// Nested-lattice codes: the published errors, the limits of theory, scales, and codes of blocks.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "core/random.h"
#include "measure/theory.h"
#include "quant/bit_stream.h"
#include "quant/nested/nested_code.h"

namespace obliq {
namespace {

struct Measured {
  double distortion;
  double fixed_bits;
  double entropy_bits;
};

// D of Gaussian coordinates. Vectors are not brought to |x|^2 = dim: the codes are for the source.
Measured measure(const NestedOptions& options, std::size_t vectors) {
  constexpr std::size_t kDim = 768;
  const auto code = make_nested_code(options, kDim);
  const float step = code->unit() * std::sqrt(static_cast<float>(kDim));
  std::vector<std::uint8_t> codes(vectors * code->code_bytes());
  Random random(5);
  double error = 0;
  for (std::size_t v = 0; v < vectors; ++v) {
    std::vector<float> x(kDim);
    for (float& value : x) value = static_cast<float>(random.gaussian());
    std::uint8_t* bytes = codes.data() + v * code->code_bytes();
    code->choose(x.data(), bytes);
    std::vector<std::int16_t> levels(kDim);
    code->levels(bytes, levels.data());
    for (std::size_t i = 0; i < kDim; ++i) {
      const double difference = x[i] - step * static_cast<float>(levels[i]);
      error += difference * difference;
    }
  }
  const double bits = std::log2(static_cast<double>(options.q));
  return {error / static_cast<double>(vectors * kDim), fixed_bits(*code),
          bits + scale_entropy(*code, codes) / static_cast<double>(code->block())};
}

constexpr std::size_t kVectors = 250;  // 24 000 blocks of eight: D within 1 % (standard error)

std::vector<NestedOptions> all_options() {
  std::vector<NestedOptions> all;
  for (const auto lattice : {NestedLattice::e8, NestedLattice::d4, NestedLattice::z8}) {
    for (const auto choice : {ScaleChoice::drawn, ScaleChoice::opt, ScaleChoice::first}) {
      for (const bool dither : {false, true}) {
        for (std::size_t q = 2; q <= 16; ++q) {
          for (std::size_t k = 1; k <= 8; ++k) all.push_back({lattice, q, k, choice, dither});
        }
      }
    }
  }
  return all;
}

struct Published {
  std::size_t q;
  double distortion;
  double dithered;
  double entropy_bits;
};

// Opt-beta with k = 4 as published, with the published scales: the scales here may do better.
TEST(NestedCode, HasThePublishedErrorsOfE8) {
  constexpr Published kTable[] = {
      {2, .6744, .4074, 1.248},   {3, .1624, .1452, 1.796},   {4, .0825, .0756, 2.201},
      {5, .0492, .0471, 2.536},   {6, .0333, .0325, 2.792},   {7, .0243, .0238, 3.012},
      {8, .0185, .0185, 3.204},   {10, .01167, .0117, 3.537}, {12, .00802, .0080, 3.786},
      {14, .00587, .0059, 4.009}, {16, .00448, .0045, 4.200},
  };
  for (const Published& row : kTable) {
    NestedOptions options{.q = row.q, .choice = ScaleChoice::opt};
    const Measured plain = measure(options, kVectors);
    EXPECT_LT(plain.distortion, 1.02 * row.distortion) << row.q;
    EXPECT_GT(plain.distortion, .96 * row.distortion) << row.q;
    EXPECT_NEAR(plain.entropy_bits, row.entropy_bits, .04) << row.q;
    options.dither = true;
    EXPECT_LT(measure(options, kVectors).distortion, 1.02 * row.dithered) << row.q;
  }
}

TEST(NestedCode, GainsFromMoreScalesAsPublished) {
  constexpr std::pair<std::size_t, double> kTable[] = {
      {1, .01928}, {2, .00866}, {4, .00587}, {8, .00473}};
  for (const auto& [k, distortion] : kTable) {
    const NestedOptions options{.q = 14, .scales = k, .choice = ScaleChoice::opt};
    // With few scales most of D comes from the few blocks that overload.
    const double measured = measure(options, k < 4 ? 8 * kVectors : kVectors).distortion;
    EXPECT_LT(measured, 1.02 * distortion) << k;
    EXPECT_GT(measured, .95 * distortion) << k;
  }
}

TEST(NestedCode, HasThePublishedErrorsOfD4) {
  for (const auto& [q, distortion] : {std::pair{8, .01654}, {16, .00413}}) {
    const NestedOptions options{
        .lattice = NestedLattice::d4, .q = static_cast<std::size_t>(q), .choice = ScaleChoice::opt};
    const double measured = measure(options, kVectors).distortion;
    EXPECT_LT(measured, 1.02 * distortion) << q;
    EXPECT_GT(measured, .95 * distortion) << q;
  }
}

// The same decoder, so that only the encoder is to thank.
TEST(NestedCode, ErrsLessWhenOverloadedBlocksAreDrawnIn) {
  for (const std::size_t q : {2, 3, 8, 14}) {
    const Measured drawn = measure({.q = q}, kVectors);
    const Measured opt = measure({.q = q, .choice = ScaleChoice::opt}, kVectors);
    EXPECT_LT(drawn.distortion, .96 * opt.distortion) << q;
  }
  const NestedOptions bit{.q = 2, .scales = 1, .dither = true};
  EXPECT_LT(measure(bit, kVectors).distortion, .3634);  // Lloyd-Max at 1 bit
}

TEST(NestedCode, NeverBeatsShannon) {
  for (const NestedOptions& options : all_options()) {
    const Measured measured = measure(options, 3);
    // 288 blocks: D has a standard error of 5 %, and no gap here is below .25 bit (40 %).
    EXPECT_GT(gap_bits(measured.distortion, measured.fixed_bits), .1)
        << static_cast<int>(options.lattice) << " q " << options.q << " k " << options.scales;
  }
}

TEST(NestedCode, HasEntropyBelowTheFixedRate) {
  const Measured measured = measure({}, 20);
  EXPECT_LT(measured.entropy_bits, measured.fixed_bits);
  EXPECT_DOUBLE_EQ(measured.fixed_bits, std::log2(14.0) + .25);
  EXPECT_DOUBLE_EQ(measure({.scales = 1}, 2).entropy_bits, std::log2(14.0));
}

TEST(NestedCode, KeepsItsLevelsWithinTheLimit) {
  Random random(6);
  for (const NestedOptions& options : all_options()) {
    if (options.choice == ScaleChoice::first) continue;  // the tables of opt
    const auto code = make_nested_code(options, 64);
    std::vector<std::uint8_t> bytes(code->code_bytes());
    std::vector<std::int16_t> levels(64);
    for (int i = 0; i < 20; ++i) {
      for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random.next());
      code->levels(bytes.data(), levels.data());
      for (const std::int16_t level : levels) ASSERT_LE(std::abs(level), LevelCode::kMaxLevel);
    }
    // The bound for any code: no point of the cell is farther from 0 than a deep hole.
    const std::size_t reach = options.lattice == NestedLattice::e8   ? 2 * options.q
                              : options.lattice == NestedLattice::d4 ? options.q
                                                                     : options.q / 2 + 1;
    const auto largest = static_cast<std::size_t>(nested_scales(options).back());
    EXPECT_LE(largest * reach * (options.dither ? 2 : 1), 2047U);
  }
}

TEST(NestedCode, HasRisingScales) {
  for (const NestedOptions& options : all_options()) {
    const auto scales = nested_scales(options);
    ASSERT_EQ(scales.size(), options.scales);
    ASSERT_GT(scales.front(), 0);
    for (std::size_t p = 1; p < scales.size(); ++p) ASSERT_LE(scales[p - 1], scales[p]);
  }
}

TEST(NestedCode, StoresEveryBlockByItself) {
  for (const auto lattice : {NestedLattice::e8, NestedLattice::d4, NestedLattice::z8}) {
    const auto code = make_nested_code({.lattice = lattice, .q = 5, .scales = 3}, 37);
    Random random(7);
    std::vector<std::uint8_t> bytes(code->code_bytes());
    std::vector<std::int16_t> expected(code->blocks() * code->block());
    std::vector<std::size_t> order(code->blocks());
    std::iota(order.begin(), order.end(), 0U);
    for (std::size_t round = 0; round < 2; ++round) {
      std::reverse(order.begin(), order.end());
      for (const std::size_t b : order) {
        std::vector<float> target(code->block());
        for (std::size_t i = 0; i < target.size() && b * target.size() + i < 37; ++i) {
          target[i] = static_cast<float>(random.gaussian());
        }
        code->choose_block(b, target.data(), bytes.data(), &expected[b * code->block()]);
      }
    }
    std::vector<std::int16_t> levels(37);
    code->levels(bytes.data(), levels.data());
    expected.resize(37);
    EXPECT_EQ(levels, expected);
  }
}

TEST(NestedCode, MultipliesWithQueriesAsItsLevelsDoAlsoForLabelsThatDoNotExist) {
  Random random(8);
  for (const NestedOptions& options : all_options()) {
    if (options.choice == ScaleChoice::first) continue;
    const std::size_t dim = 1 + random.below(300);
    const auto code = make_nested_code(options, dim);
    std::vector<std::uint8_t> bytes(code->code_bytes());
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random.next());
    std::vector<float> real(dim);
    for (float& value : real) value = static_cast<float>(random.gaussian());
    IntegerQuery query(dim, LevelCode::kMaxLevel);
    query.set(real.data());
    std::vector<std::int16_t> levels(dim);
    code->levels(bytes.data(), levels.data());
    std::int64_t expected = 0;
    for (std::size_t i = 0; i < dim; ++i) expected += levels[i] * query.values()[i];
    std::vector<std::int16_t> scratch(dim);
    ASSERT_EQ(code->product(bytes.data(), query, scratch), expected) << options.q;
  }
}

TEST(NestedCode, ChoosesTheSmallestScaleThatHoldsTheBlockInFirstBeta) {
  const NestedOptions options{.q = 6, .scales = 5, .choice = ScaleChoice::first};
  const auto code = make_nested_code(options, 8);
  std::vector<std::uint8_t> bytes(code->code_bytes());
  std::size_t before = 0;
  for (const float size : {.1F, .5F, .9F, 1.2F, 1.5F, 2.0F}) {
    // Towards a minimal vector, where the cell ends at half the vector.
    const float target[8] = {size, size, size, size, size, size, size, size};
    std::int16_t levels[8];
    code->choose_block(0, target, bytes.data(), levels);
    EXPECT_GE(code->scale(bytes.data(), 0), before);
    before = code->scale(bytes.data(), 0);
  }
  EXPECT_GT(before, 0U);
}

TEST(NestedCode, TakesBlocksFarBeyondEveryScale) {
  const auto code = make_nested_code({}, 8);
  std::vector<std::uint8_t> bytes(code->code_bytes());
  const float target[8] = {0, 0, 3000, 0, 0, 0, 0, 0};
  std::int16_t levels[8];
  code->choose_block(0, target, bytes.data(), levels);
  EXPECT_GT(levels[2], 1000);
  for (const std::size_t i : {0, 1, 3, 4, 5, 6, 7}) EXPECT_LT(std::abs(levels[i]), 200);
}

TEST(NestedCode, TakesWholeBitsForItsFields) {
  EXPECT_EQ(make_nested_code({}, 384)->code_bytes(), 48U * 31 / 8 + 48 * 2 / 8);
  EXPECT_EQ(make_nested_code({.q = 16, .scales = 8}, 8)->code_bytes(), 4U + 1);
  EXPECT_EQ(make_nested_code({.q = 2, .scales = 1}, 9)->code_bytes(), 2U);
  EXPECT_EQ(make_nested_code({.lattice = NestedLattice::d4, .q = 3}, 8)->code_bytes(), 2U + 1);
  EXPECT_DOUBLE_EQ(make_nested_code({}, 384)->stored_bits(), 33.0 / 8);
}

TEST(MakeQuantizer, GivesNestedCodesTheirStoredBits) {
  EXPECT_DOUBLE_EQ(make_quantizer("e8q14", 384)->bits(), 33.0 / 8);
  EXPECT_DOUBLE_EQ(make_quantizer("e8q14:k1:dither", 384)->bits(), 31.0 / 8);
  EXPECT_DOUBLE_EQ(make_quantizer("d4q8:k8:first", 384)->bits(), 15.0 / 4);
  EXPECT_EQ(make_quantizer("z4:opt:k2", 384)->spec(), "z4:k2:opt");
}

}  // namespace
}  // namespace obliq
