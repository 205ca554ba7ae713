// Rotations: orthogonal, and coordinates that follow the law of a random
// direction (density f(x) ~ (1 - x^2)^((d-3)/2)) whatever the input, one-hot and constant included.
#include "obliq/rotation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <stdexcept>
#include <vector>

#include "core/random.h"
#include "tests/quant/vectors.h"

namespace obliq {
namespace {

using test_vectors::dot;

std::vector<float> gaussian_vector(std::size_t dim, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> x(dim);
  for (float& value : x) value = static_cast<float>(random.gaussian());
  return x;
}

std::vector<std::size_t> awkward_dims() {
  std::vector<std::size_t> dims;
  for (std::size_t dim = 1; dim <= 40; ++dim) dims.push_back(dim);
  for (std::size_t dim : {63, 64, 65, 96, 100, 127, 128, 384, 768, 1000, 1023, 1536, 2047}) {
    dims.push_back(dim);
  }
  return dims;
}

TEST(Rotation, KeepsNormsAndInnerProductsToOneInAHundredThousand) {
  for (const std::size_t dim : awkward_dims()) {
    const auto rotation = make_rotation(dim, 3);
    ASSERT_EQ(rotation->dim(), dim);
    auto x = gaussian_vector(dim, 1);
    auto y = gaussian_vector(dim, 2);
    const double xx = dot(x, x);
    const double xy = dot(x, y);
    const double bound = 1e-5 * std::sqrt(xx * dot(y, y));
    rotation->apply(x.data());
    rotation->apply(y.data());
    EXPECT_NEAR(dot(x, x), xx, 1e-5 * xx) << "dim " << dim;
    EXPECT_NEAR(dot(x, y), xy, bound) << "dim " << dim;
  }
}

TEST(Rotation, IsUndoneByItsInverse) {
  for (const std::size_t dim : awkward_dims()) {
    const auto rotation = make_rotation(dim, 9);
    const auto x = gaussian_vector(dim, 4);
    auto y = x;
    rotation->apply(y.data());
    rotation->apply_inverse(y.data());
    for (std::size_t i = 0; i < dim; ++i) ASSERT_NEAR(y[i], x[i], 5e-6F) << "dim " << dim;
  }
}

TEST(Rotation, DependsOnTheSeedAlone) {
  const auto x = gaussian_vector(384, 1);
  auto first = x;
  auto again = x;
  auto other = x;
  make_rotation(384, 5)->apply(first.data());
  make_rotation(384, 5)->apply(again.data());
  make_rotation(384, 6)->apply(other.data());
  EXPECT_EQ(first, again);
  EXPECT_NE(first, other);
}

TEST(Rotation, RefusesDimZero) {
  EXPECT_THROW(make_rotation(0, 1), std::invalid_argument);
  EXPECT_THROW(make_haar_rotation(0, 1), std::invalid_argument);
}

// P(sqrt(d) u_1 < t) on a grid of t, by the trapezoid rule.
struct CoordinateLaw {
  static constexpr int kCells = 4000;
  static constexpr double kRange = 6;
  std::vector<double> cdf = std::vector<double>(kCells + 1);

  explicit CoordinateLaw(double dim) {
    const auto density = [dim](int i) {
      const double t = grid(i);
      return t * t < dim ? std::pow(1 - t * t / dim, (dim - 3) / 2) : 0.0;
    };
    for (int i = 1; i <= kCells; ++i) cdf[i] = cdf[i - 1] + density(i) + density(i - 1);
    for (double& value : cdf) value /= cdf.back();
  }
  static double grid(int i) { return kRange * (2.0 * i / kCells - 1); }
};

struct Input {
  const char* name;
  std::function<void(std::vector<float>&, Random&)> fill;  // of zeros
};

std::vector<Input> adversarial_inputs() {
  return {
      {"one-hot, first", [](auto& x, Random&) { x.front() = 1; }},
      {"one-hot, last", [](auto& x, Random&) { x.back() = 1; }},
      {"two, half apart", [](auto& x, Random&) { x[0] = x[(x.size() + 1) / 2] = 1; }},
      {"constant", [](auto& x, Random&) { std::fill(x.begin(), x.end(), 1.0F); }},
      {"sparse",
       [](auto& x, Random& random) {
         for (int i = 0; i < 8; ++i) x[random.below(x.size())] = 1 + static_cast<float>(i);
       }},
  };
}

// Kolmogorov-Smirnov distance and fourth moment of sqrt(d) times the coordinates of rotated unit
// vectors, over fresh rotations.
struct Moments {
  double ks = 0;
  double fourth = 0;
  double count = 0;
};

Moments measure(std::size_t dim, const Input& input, const CoordinateLaw& law) {
  constexpr std::size_t kSamples = 150000;
  Random random(dim);
  std::vector<double> histogram(CoordinateLaw::kCells + 1);
  Moments moments;
  for (std::size_t r = 0; r < kSamples / dim; ++r) {
    std::vector<float> x(dim);
    input.fill(x, random);
    const double scale = std::sqrt(static_cast<double>(dim) / dot(x, x));
    make_rotation(dim, random.next())->apply(x.data());
    for (const float value : x) {
      const double t = value * scale;
      const double cell = (t / CoordinateLaw::kRange + 1) * CoordinateLaw::kCells / 2;
      ++histogram[static_cast<std::size_t>(
          std::clamp(std::ceil(cell), 0.0, double{CoordinateLaw::kCells}))];
      moments.fourth += t * t * t * t;
      ++moments.count;
    }
  }
  double below = 0;
  for (int i = 0; i <= CoordinateLaw::kCells; ++i) {
    below += histogram[i] / moments.count;
    moments.ks = std::max(moments.ks, std::abs(below - law.cdf[i]));
  }
  moments.fourth /= moments.count;
  return moments;
}

// Tolerances: 1.95/sqrt(n) is the one-in-a-thousand point of the Kolmogorov law, and .002 is left
// for the construction; the fourth moment has standard error sqrt(96/n) and may be 3 % off.
TEST(Rotation, GivesTheLawOfARandomDirectionForAdversarialInputs) {
  for (const std::size_t dim : {16, 33, 63, 96, 100, 127, 384, 768, 1000, 1023, 1536}) {
    const CoordinateLaw law(static_cast<double>(dim));
    for (const Input& input : adversarial_inputs()) {
      const Moments moments = measure(dim, input, law);
      EXPECT_LT(moments.ks, 0.002 + 1.95 / std::sqrt(moments.count)) << dim << ", " << input.name;
      const double expected = 3.0 * static_cast<double>(dim) / static_cast<double>(dim + 2);
      EXPECT_NEAR(moments.fourth, expected, 0.03 * expected + 4 * std::sqrt(96 / moments.count))
          << dim << ", " << input.name;
    }
  }
}

// Every coordinate has mean square 1/d, wherever a one-hot vector stood: standard error
// sqrt(2/rotations) each, 5 of them allowed over 4 * 127 coordinates.
TEST(Rotation, SpreadsEveryCoordinateOverAllCoordinates) {
  constexpr std::size_t kDim = 127;
  constexpr std::size_t kRotations = 2000;
  for (const std::size_t hot : {0, 62, 63, 126}) {
    std::vector<double> square(kDim);
    for (std::size_t r = 0; r < kRotations; ++r) {
      std::vector<float> x(kDim);
      x[hot] = 1;
      make_rotation(kDim, 1000 * hot + r)->apply(x.data());
      for (std::size_t i = 0; i < kDim; ++i) square[i] += double{x[i]} * x[i] * kDim / kRotations;
    }
    for (std::size_t i = 0; i < kDim; ++i) {
      EXPECT_NEAR(square[i], 1, 5 * std::sqrt(2.0 / kRotations)) << hot << " to " << i;
    }
  }
}

TEST(HaarRotation, IsOrthogonal) {
  for (const std::size_t dim : {1, 2, 17, 100}) {
    const auto rotation = make_haar_rotation(dim, 8);
    auto x = gaussian_vector(dim, 1);
    const auto original = x;
    rotation->apply(x.data());
    EXPECT_NEAR(dot(x, x), dot(original, original), 1e-5 * dot(original, original));
    rotation->apply_inverse(x.data());
    for (std::size_t i = 0; i < dim; ++i) ASSERT_NEAR(x[i], original[i], 5e-6F);
  }
}

// The diagonal of Haar matrices has mean 0: without the sign fix of QR it would not. Standard error
// 1/sqrt(dim * count).
TEST(HaarRotation, HasADiagonalOfMeanZero) {
  constexpr std::size_t kDim = 8;
  constexpr std::size_t kCount = 4000;
  double sum = 0;
  for (std::size_t s = 0; s < kCount; ++s) {
    const auto rotation = make_haar_rotation(kDim, s);
    for (std::size_t i = 0; i < kDim; ++i) {
      std::vector<float> x(kDim);
      x[i] = 1;
      rotation->apply(x.data());
      sum += x[i];
    }
  }
  EXPECT_NEAR(sum / (kDim * kCount), 0, 4 / std::sqrt(kDim * kDim * kCount));
}

}  // namespace
}  // namespace obliq
