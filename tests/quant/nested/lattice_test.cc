// The lattices: nearest points against brute force, cosets and their labels, second moments.
#include "quant/nested/lattice.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

#include "core/random.h"

namespace obliq {
namespace {

template <class L>
using Point = std::array<std::int32_t, L::kDim>;

template <class L>
bool holds(const Point<L>& y) {
  std::int32_t sum = 0;
  bool one_parity = true;
  for (const std::int32_t value : y) {
    sum += value;
    one_parity = one_parity && (value - y[0]) % 2 == 0;
  }
  if (std::is_same_v<L, E8>) return one_parity && sum % 4 == 0;
  return std::is_same_v<L, Z8> || sum % 2 == 0;
}

template <class L>
Point<L> reduce(const Point<L>& y, std::int32_t m) {
  Point<L> f;
  L::reduce(y.data(), m, f.data());
  return f;
}

template <class L>
Point<L> coset(const std::array<std::uint8_t, L::kDim>& label, std::int32_t q) {
  Point<L> y;
  L::coset(label.data(), q, y.data());
  return y;
}

template <class L>
std::int32_t norm2(const Point<L>& y) {
  std::int32_t sum = 0;
  for (const std::int32_t value : y) sum += value * value;
  return sum;
}

template <class L>
Point<L> random_point(Random& random, std::int32_t q) {
  std::array<std::uint8_t, L::kDim> label;
  for (auto& digit : label) digit = static_cast<std::uint8_t>(random.below(q));
  return coset<L>(label, q);
}

// All points with coordinates -2..2 that are no longer than twice the shortest.
template <class L>
std::vector<Point<L>> short_points() {
  std::vector<Point<L>> points;
  std::size_t count = 1;
  for (std::size_t i = 0; i < L::kDim; ++i) count *= 5;
  for (std::size_t n = 0; n < count; ++n) {
    Point<L> y;
    std::size_t rest = n;
    for (auto& value : y) {
      value = static_cast<std::int32_t>(rest % 5) - 2;
      rest /= 5;
    }
    if (holds<L>(y) && norm2<L>(y) > 0) points.push_back(y);
  }
  return points;
}

template <class L>
class Lattices : public testing::Test {};

struct Names {
  template <class L>
  static std::string GetName(int) {
    return std::is_same_v<L, E8> ? "E8" : std::is_same_v<L, D4> ? "D4" : "Z8";
  }
};

using All = testing::Types<E8, D4, Z8>;
TYPED_TEST_SUITE(Lattices, All, Names);

TYPED_TEST(Lattices, ReduceLeavesTheShortestOfItsCoset) {
  const auto relevant = short_points<TypeParam>();  // they hold all Voronoi relevant vectors
  Random random(1);
  for (int i = 0; i < 300; ++i) {
    const auto m = static_cast<std::int32_t>(1 + random.below(16));
    Point<TypeParam> y;
    for (auto& value : y) value = static_cast<std::int32_t>(random.below(400)) - 200;
    const auto f = reduce<TypeParam>(y, m);
    auto taken = y;
    for (std::size_t j = 0; j < y.size(); ++j) {
      taken[j] -= f[j];
      ASSERT_EQ(taken[j] % m, 0);
      taken[j] /= m;
    }
    ASSERT_TRUE(holds<TypeParam>(taken));
    for (const auto& point : relevant) {
      auto other = f;
      for (std::size_t j = 0; j < y.size(); ++j) other[j] += m * point[j];
      ASSERT_GE(norm2<TypeParam>(other), norm2<TypeParam>(f));
    }
  }
}

TYPED_TEST(Lattices, ReduceIsTheSameForFloatsAndIntegers) {
  Random random(3);
  for (int i = 0; i < 2000; ++i) {
    Point<TypeParam> y;
    std::array<float, TypeParam::kDim> real;
    for (std::size_t j = 0; j < y.size(); ++j) {
      y[j] = static_cast<std::int32_t>(random.below(64)) - 32;
      real[j] = static_cast<float>(y[j]) / 8;
    }
    const auto f = reduce<TypeParam>(y, 8);
    TypeParam::reduce(real.data(), 1.0F, real.data());
    for (std::size_t j = 0; j < y.size(); ++j) ASSERT_EQ(real[j], static_cast<float>(f[j]) / 8);
  }
}

TYPED_TEST(Lattices, EveryLabelIsDecodedToAPointThatHasThisLabel) {
  for (std::int32_t q = 2; q <= 3; ++q) {
    std::set<Point<TypeParam>> codewords;
    std::size_t count = 1;
    for (std::size_t i = 0; i < TypeParam::kDim; ++i) count *= static_cast<std::size_t>(q);
    for (std::size_t n = 0; n < count; ++n) {
      std::array<std::uint8_t, TypeParam::kDim> label;
      std::size_t rest = n;
      for (auto& digit : label) {
        digit = static_cast<std::uint8_t>(rest % static_cast<std::size_t>(q));
        rest /= static_cast<std::size_t>(q);
      }
      const auto f = reduce<TypeParam>(coset<TypeParam>(label, q), q);
      ASSERT_TRUE(holds<TypeParam>(f));
      codewords.insert(f);
      std::array<std::uint8_t, TypeParam::kDim> again;
      TypeParam::label(f.data(), q, again.data());
      ASSERT_EQ(label, again);
    }
    EXPECT_EQ(codewords.size(), count);
  }
}

TYPED_TEST(Lattices, LabelsSurviveAnyPeriodAndStayBelowQ) {
  const auto periods = short_points<TypeParam>();
  Random random(4);
  for (std::int32_t q = 2; q <= 16; ++q) {
    for (int i = 0; i < 300; ++i) {
      auto y = random_point<TypeParam>(random, q);
      std::array<std::uint8_t, TypeParam::kDim> label;
      TypeParam::label(y.data(), q, label.data());
      ASSERT_EQ(coset<TypeParam>(label, q), y);
      const auto& period = periods[random.below(periods.size())];
      for (std::size_t j = 0; j < y.size(); ++j) y[j] += 5 * q * period[j];
      std::array<std::uint8_t, TypeParam::kDim> moved;
      TypeParam::label(y.data(), q, moved.data());
      ASSERT_EQ(moved, label);
    }
  }
}

// E|f|^2 / n over the Voronoi cell, for unit covolume.
template <class L>
double second_moment(double covolume, std::size_t samples) {
  Random random(5);
  double sum = 0;
  for (std::size_t i = 0; i < samples; ++i) {
    double y[L::kDim];
    for (double& value : y) value = 4 * random.uniform();
    L::reduce(y, 1.0, y);
    for (const double value : y) sum += value * value;
  }
  const double n = L::kDim;
  return sum / (static_cast<double>(samples) * n) / std::pow(covolume, 2 / n);
}

// |f|^2 of E8 has mean .573 and standard deviation .17: 200 000 samples leave .00005 of G.
TEST(E8Lattice, HasItsSecondMoment) {
  EXPECT_NEAR(second_moment<E8>(256, 200000), 929.0 / 12960, .0002);
}

TEST(D4Lattice, HasItsSecondMoment) { EXPECT_NEAR(second_moment<D4>(2, 200000), .076603, .0003); }

TEST(Z8Lattice, HasItsSecondMoment) { EXPECT_NEAR(second_moment<Z8>(1, 100000), 1.0 / 12, .0003); }

// Norm 2 is 8 in the doubled coordinates.
TEST(E8Lattice, Has240ShortestVectorsOfNormTwo) {
  std::size_t shortest = 0;
  for (const auto& point : short_points<E8>()) {
    ASSERT_GE(norm2<E8>(point), 8);
    shortest += norm2<E8>(point) == 8 ? 1 : 0;
  }
  EXPECT_EQ(shortest, 240U);
}

}  // namespace
}  // namespace obliq
