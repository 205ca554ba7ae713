// Half-precision conversions against the definition of binary16, written in double: exhaustive over
// all halves, over the floats at and beside every boundary between two halves, and over a million
// random floats.
#include "core/half.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "core/random.h"

namespace obliq {
namespace {

constexpr std::uint16_t kSign = 0x8000;
constexpr std::uint16_t kInfinity = 0x7C00;  // those below, as numbers, are the finite halves >= 0

bool is_nan(std::uint16_t half) { return (half & 0x7FFFU) > kInfinity; }

/// IEEE 754: (-1)^s 2^(e-15) (1 + m/1024), or (-1)^s 2^-14 m/1024 where e = 0. For finite halves.
double value_of(std::uint16_t half) {
  const int exponent = half >> 10 & 31;
  const double mantissa = (half & 1023) / 1024.0;
  const double size =
      exponent == 0 ? std::ldexp(mantissa, -14) : std::ldexp(1 + mantissa, exponent - 15);
  return (half & kSign) != 0 ? -size : size;
}

/// The nearest half of a finite float, ties to even, as a double: a multiple of the spacing of
/// halves around it. Where that leaves the range, infinity.
double round_by_definition(float value) {
  const double exact = value;
  const int exponent = value == 0 ? -14 : std::max(std::ilogb(exact), -14);
  const double spacing = std::ldexp(1.0, exponent - 10);
  const double rounded = std::nearbyint(exact / spacing) * spacing;  // scaling is exact
  if (std::fabs(rounded) <= kMaxHalf) return rounded;
  return std::copysign(std::numeric_limits<double>::infinity(), exact);
}

::testing::AssertionResult rounds_as_defined(float value) {
  const std::uint16_t half = float_to_half(value);
  const double expected = round_by_definition(value);
  const bool sign_kept = ((half & kSign) != 0) == std::signbit(value);
  const bool right = std::isinf(expected) ? (half & 0x7FFFU) == kInfinity
                                          : !is_nan(half) && value_of(half) == expected;
  if (right && sign_kept) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "float " << value << " became half " << half
                                       << ", expected the half of value " << expected;
}

TEST(Half, EveryHalfHasTheValueOfItsDefinition) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = half_to_float(half);
    if (is_nan(half)) {
      ASSERT_TRUE(std::isnan(value)) << bits;
    } else if ((half & 0x7FFFU) == kInfinity) {
      ASSERT_TRUE(std::isinf(value)) << bits;
    } else {
      ASSERT_EQ(value, value_of(half)) << bits;
    }
    ASSERT_EQ(std::signbit(value), (half & kSign) != 0) << bits;
  }
}

TEST(Half, EveryHalfComesBackFromFloat) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const std::uint16_t back = float_to_half(half_to_float(half));
    if (is_nan(half)) {
      ASSERT_TRUE(is_nan(back)) << bits;
    } else {
      ASSERT_EQ(back, half) << bits;
    }
  }
}

TEST(Half, FloatsAroundEveryBoundaryRoundToTheNearestAndTiesToEven) {
  constexpr float kHuge = std::numeric_limits<float>::infinity();
  for (std::uint16_t half = 0; half < kInfinity; ++half) {
    // The half after the last one would be 65536; the boundary before it is where infinity begins.
    const double next = half + 1 == kInfinity ? 65536.0 : value_of(half + 1);
    const auto boundary = static_cast<float>((value_of(half) + next) / 2);  // exact
    for (const float value :
         {boundary, std::nextafter(boundary, 0.0F), std::nextafter(boundary, kHuge)}) {
      ASSERT_TRUE(rounds_as_defined(value));
      ASSERT_TRUE(rounds_as_defined(-value));
    }
  }
}

TEST(Half, AMillionRandomFloatsRoundAsDefined) {
  Random random(1);
  for (int i = 0; i < 1000000; ++i) {
    // Any sign and mantissa; an exponent from below the subnormal halves to beyond the largest.
    const auto bits = static_cast<std::uint32_t>(random.next());
    const auto exponent = static_cast<std::uint32_t>(95 + random.below(55));
    ASSERT_TRUE(rounds_as_defined(std::bit_cast<float>((bits & 0x807FFFFFU) | exponent << 23)));
  }
}

TEST(Half, TheEndsOfTheFloatRangeBecomeZeroOrInfinity) {
  using Limits = std::numeric_limits<float>;
  EXPECT_EQ(float_to_half(Limits::denorm_min()), 0);
  EXPECT_EQ(float_to_half(-Limits::min()), kSign);
  EXPECT_EQ(float_to_half(Limits::max()), kInfinity);
  EXPECT_EQ(float_to_half(-Limits::infinity()), kSign | kInfinity);
  EXPECT_EQ(float_to_half(kMaxHalf), 0x7BFF);
  EXPECT_TRUE(is_nan(float_to_half(Limits::quiet_NaN())));
  // A NaN whose payload is in the low bits only must not turn into infinity.
  EXPECT_TRUE(is_nan(float_to_half(std::bit_cast<float>(0x7F800001U))));
}

}  // namespace
}  // namespace obliq
