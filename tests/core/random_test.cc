// Random numbers are part of what an index means: the seed in its header draws its rotation. So the
// draws are held to published vectors, to recorded hashes that every platform must reproduce, and
// to the moments of the laws they claim. Tolerances are five standard deviations of the mean.
#include "core/random.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

namespace obliq {
namespace {

/// FNV-1a over the bytes of 64-bit words, low byte first.
class Hash {
 public:
  void add(std::uint64_t word) {
    for (int byte = 0; byte < 8; ++byte) {
      value_ = (value_ ^ (word >> (8 * byte) & 0xFFU)) * 0x100000001B3ULL;
    }
  }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xCBF29CE484222325ULL;
};

TEST(Random, SplitmixMatchesItsPublishedVector) {
  std::uint64_t state = 1234567;
  for (const std::uint64_t expected :
       {6457827717110365317ULL, 3203168211198807973ULL, 9817491932198370423ULL,
        4593380528125082431ULL, 16408922859458223821ULL}) {
    EXPECT_EQ(splitmix64(state), expected);
  }
}

TEST(Random, XoshiroSeededBySplitmixMatchesItsPublishedVector) {
  Random random(0);
  for (const std::uint64_t expected : {0x99EC5F36CB75F2B4ULL, 0xBF6E1F784956452AULL,
                                       0x1A5F849D4933E6E0ULL, 0x6AA594F1262D2D2CULL}) {
    EXPECT_EQ(random.next(), expected);
  }
}

TEST(Random, GaussiansHaveTheSameBitsOnEveryPlatform) {
  Random first(42);
  for (const double expected :
       {-0x1.73d2feb0fb377p-1, -0x1.b088028693f9cp-3, 0x1.c5e21f7812a4cp-3, 0x1.0ba8bb0c5fa51p-1}) {
    EXPECT_EQ(first.gaussian(), expected);
  }
  Random random(7);
  Hash hash;
  for (int i = 0; i < 100000; ++i) hash.add(std::bit_cast<std::uint64_t>(random.gaussian()));
  EXPECT_EQ(hash.value(), 0x6FB3BA36AEEA3A1EULL);
}

TEST(Random, BoundedNumbersHaveTheSameBitsOnEveryPlatform) {
  Random random(9);
  Hash hash;
  for (std::uint64_t n = 1; n <= 1000; ++n) hash.add(random.below(n));
  EXPECT_EQ(hash.value(), 0x905FEE1D7A33AA99ULL);
}

TEST(Random, SeedsThatDifferInOneBitGiveUnrelatedDraws) {
  Random random(1);
  for (int bit = 0; bit < 64; ++bit) {
    const std::uint64_t seed = random.next();
    Random a(seed);
    Random b(seed ^ (1ULL << bit));
    int equal_bits = 0;  // of 6,400 fair coins: standard deviation 40
    for (int i = 0; i < 100; ++i) equal_bits += 64 - std::popcount(a.next() ^ b.next());
    EXPECT_NEAR(equal_bits, 3200, 200) << "seed " << seed << ", bit " << bit;
  }
}

TEST(Random, UniformNumbersStayBelowOneAndFillTheInterval) {
  constexpr int kDraws = 200000;
  Random random(3);
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double u = random.uniform();
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    sum += u;
    squares += u * u;
  }
  EXPECT_NEAR(sum / kDraws, 1.0 / 2, 5 * std::sqrt(1.0 / 12 / kDraws));
  EXPECT_NEAR(squares / kDraws, 1.0 / 3, 5 * std::sqrt(4.0 / 45 / kDraws));
}

TEST(Random, BoundedNumbersTakeEveryValueEquallyOften) {
  constexpr int kDraws = 70000;
  Random random(4);
  std::array<int, 7> seen{};
  for (int i = 0; i < kDraws; ++i) ++seen.at(random.below(seen.size()));
  const double expected = kDraws / 7.0;
  double chi_square = 0;
  for (const int count : seen) chi_square += (count - expected) * (count - expected) / expected;
  EXPECT_LT(chi_square, 35.0);  // 6 degrees of freedom: exceeded once in 200,000 seeds
  EXPECT_EQ(random.below(1), 0U);
}

TEST(Random, GaussiansHaveTheMomentsOfTheNormalLaw) {
  constexpr int kDraws = 200000;
  Random random(5);
  std::array<double, 5> moment{};
  double neighbours = 0;  // mean of g_i g_{i+1}: the two of a pair are independent
  double before = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double g = random.gaussian();
    for (std::size_t p = 1; p <= 4; ++p) moment.at(p) += std::pow(g, p) / kDraws;
    neighbours += g * before / kDraws;
    before = g;
  }
  // Var g^p = E g^2p - (E g^p)^2: 1, 2, 15, 96.
  EXPECT_NEAR(moment[1], 0, 5 * std::sqrt(1.0 / kDraws));
  EXPECT_NEAR(moment[2], 1, 5 * std::sqrt(2.0 / kDraws));
  EXPECT_NEAR(moment[3], 0, 5 * std::sqrt(15.0 / kDraws));
  EXPECT_NEAR(moment[4], 3, 5 * std::sqrt(96.0 / kDraws));
  EXPECT_NEAR(neighbours, 0, 5 * std::sqrt(1.0 / kDraws));
}

TEST(PortableLog, AgreesWithTheLibraryToTheLastBits) {
  EXPECT_EQ(portable_log(1.0), 0.0);
  Random random(6);
  for (int i = 0; i < 200000; ++i) {
    const int exponent = static_cast<int>(random.below(2000)) - 1000;
    const double wide = std::ldexp(1 + random.uniform(), exponent);
    const double near_one = 1 + (random.uniform() - 0.5) * std::ldexp(1.0, -(i % 50));
    for (const double x : {wide, near_one}) {
      // 1e-15 of its own, half a unit in the last place of the library's.
      ASSERT_NEAR(portable_log(x), std::log(x), 1.2e-15 * std::fabs(std::log(x))) << "x " << x;
    }
  }
}

}  // namespace
}  // namespace obliq
