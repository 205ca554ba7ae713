// The pieces that scalar codes are made of: bit planes and the integer query.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "core/random.h"
#include "quant/bit_planes.h"
#include "quant/integer_query.h"

namespace obliq {
namespace {

TEST(BitPlanes, UnpackWhatWasPackedAndPadWithZeros) {
  Random random(1);
  for (std::size_t bits = 1; bits <= 8; ++bits) {
    for (std::size_t dim = 1; dim <= 70; ++dim) {
      std::vector<std::uint8_t> indices(dim);
      for (auto& index : indices) index = static_cast<std::uint8_t>(random.below(1ULL << bits));
      const std::size_t plane = (dim + 7) / 8;
      std::vector<std::uint8_t> code(bits * plane + 1, 0xEE);
      pack_indices(indices, bits, code.data());
      EXPECT_EQ(code.back(), 0xEE);
      std::vector<std::uint8_t> unpacked(dim, 0xFF);
      unpack_indices(code.data(), bits, unpacked);
      ASSERT_EQ(unpacked, indices) << bits << " bits, dim " << dim;
      for (std::size_t p = 0; p < bits && dim % 8 != 0; ++p) {
        EXPECT_EQ(code[(p + 1) * plane - 1] >> (dim % 8), 0);
      }
    }
  }
}

TEST(BitPlanes, LieTopBitFirstThenFromTheLowest) {
  const std::vector<std::uint8_t> indices = {0b100, 0b001, 0b010};
  std::uint8_t code[3];
  pack_indices(indices, 3, code);
  EXPECT_EQ(code[0], 0b001);  // bit 2: the sign plane
  EXPECT_EQ(code[1], 0b010);  // bit 0
  EXPECT_EQ(code[2], 0b100);  // bit 1
}

// 2047 sum |q_i| < 2^31 for the kernels, each value within half a step.
void expect_rounded(const std::vector<float>& query, int max_code) {
  IntegerQuery rounded(query.size(), max_code);
  rounded.set(query.data());
  std::int64_t sum = 0;
  double worst = 0;
  for (std::size_t i = 0; i < query.size(); ++i) {
    sum += std::abs(rounded.values()[i]);
    EXPECT_LE(std::abs(rounded.values()[i]), 8191);
    const double back = double{rounded.step()} * rounded.values()[i];
    worst = std::max(worst, std::abs(back - query[i]));
  }
  EXPECT_LT(sum * max_code, std::int64_t{1} << 31) << query.size();
  // The step itself is a float: its rounding adds 8191 * 2^-24 steps.
  EXPECT_LE(worst, rounded.step() * (0.5 + 0x1p-10)) << query.size();
}

TEST(IntegerQuery, StaysInsideTheSumsOfTheKernels) {
  Random random(2);
  for (const std::size_t dim : {1, 2, 100, 768, 5000, 3000000}) {
    std::vector<float> query(dim);
    for (float& value : query) value = static_cast<float>(random.gaussian());
    expect_rounded(query, 2047);
    expect_rounded(query, 128);
    std::fill(query.begin(), query.end(), -1.0F);
    expect_rounded(query, 2047);
    query[dim / 2] = 1e6F;
    expect_rounded(query, 2047);
  }
}

TEST(IntegerQuery, UsesAllFourteenBitsWhereTheSumLetsIt) {
  IntegerQuery rounded(3, 2047);
  const float query[] = {-2, 1, 0};
  rounded.set(query);
  EXPECT_EQ(rounded.values()[0], -8191);
  EXPECT_EQ(rounded.values()[1], 4096);  // 4095.5 to even
  EXPECT_EQ(rounded.values()[2], 0);
}

TEST(IntegerQuery, TakesZeroTinyAndHugeQueries) {
  IntegerQuery rounded(2, 2047);
  const float zero[] = {0, -0.0F};
  rounded.set(zero);
  EXPECT_EQ(rounded.values()[0], 0);
  EXPECT_EQ(rounded.step(), 0);
  for (const float scale : {0x1p-126F, 0x1p127F}) {
    const float query[] = {scale, scale / 2};
    rounded.set(query);
    EXPECT_EQ(rounded.values()[0], 8191);
    EXPECT_NEAR(double{rounded.step()} * 8191 / scale, 1, 1e-3);
  }
}

}  // namespace
}  // namespace obliq
