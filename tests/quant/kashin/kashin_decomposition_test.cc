// Kashin's decomposition, held to the published residuals of its steps, to the exact
// gain of each and to flat factors.
#include "quant/kashin/kashin_decomposition.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/basis.h"
#include "core/random.h"
#include "tests/quant/vectors.h"

namespace obliq {
namespace {

using test_vectors::norm2;
using test_vectors::sphere_vector;

double l1(const std::vector<float>& x) {
  double sum = 0;
  for (const float value : x) sum += std::abs(double{value});
  return sum;
}

double largest(const std::vector<float>& x) {
  double size = 0;
  for (const float value : x) size = std::max(size, std::abs(double{value}));
  return size;
}

// x - u - Q v.
std::vector<float> residual_of(std::vector<float> x, const KashinDecomposition& factors,
                               const Rotation& basis) {
  std::vector<float> part = factors.v;
  basis.apply(part.data());
  for (std::size_t i = 0; i < x.size(); ++i) x[i] -= factors.u[i] + part[i];
  return x;
}

using Decompose = KashinDecomposition (*)(const float*, const Rotation&, const KashinOptions&);

// Mean energies |r|^2 / |x|^2 after k steps over ten Gaussian vectors of dim 1024.
std::vector<double> mean_energies(Decompose decompose, BasisKind kind, std::size_t steps) {
  Random random(1);
  std::vector<double> mean(steps + 1);
  for (std::uint64_t i = 0; i < 10; ++i) {
    const auto basis = make_basis(kind, 1024, i);
    const auto x = sphere_vector(1024, random);
    const auto result = decompose(x.data(), *basis, {0, steps});
    for (std::size_t k = 0; k <= steps; ++k) mean[k] += result.energies[k] / norm2(x) / 10;
  }
  return mean;
}

TEST(KashinDecomposition, FollowsThePublishedResiduals) {
  for (const BasisKind kind : {BasisKind::kFast, BasisKind::kHaar, BasisKind::kSignDct}) {
    const auto energies = mean_energies(decompose_greedy, kind, 3);
    EXPECT_NEAR(energies[1], 0.36, 0.005);
    EXPECT_NEAR(energies[2], 0.128, 0.004);
    EXPECT_NEAR(energies[3], 0.046, 0.002);
  }
}

TEST(KashinDecomposition, ConvergesToAMillionthInFortySteps) {
  Random random(2);
  for (const BasisKind kind : {BasisKind::kFast, BasisKind::kHaar, BasisKind::kSignDct}) {
    const auto basis = make_basis(kind, 1024, 7);
    for (int i = 0; i < 5; ++i) {
      const auto x = sphere_vector(1024, random);
      const auto factors = decompose_greedy(x.data(), *basis);
      EXPECT_LE(factors.energies.size() - 1, 40U);
      EXPECT_LE(std::sqrt(factors.energies.back() / 1024), 1e-6);
      // What the factors leave as floats: beyond the running residual, only rounding.
      EXPECT_LT(std::sqrt(norm2(residual_of(x, factors, *basis)) / 1024), 4e-6);
    }
  }
}

TEST(KashinDecomposition, TakesTheProjectionOnASignVectorAwayInEachStep) {
  Random random(3);
  const auto basis = make_basis(BasisKind::kFast, 300, 7);
  for (const Decompose decompose : {decompose_greedy, decompose_alternating}) {
    const auto x = sphere_vector(300, random);
    for (std::size_t steps = 0; steps < 8; ++steps) {
      const auto residual = residual_of(x, decompose(x.data(), *basis, {0, steps}), *basis);
      auto turned = residual;
      basis->apply_inverse(turned.data());
      const double l1_u = l1(residual);
      const double l1_v = l1(turned);
      const bool on_u = decompose == decompose_greedy ? l1_u > l1_v : steps % 4 < 2;
      const auto energies = decompose(x.data(), *basis, {0, steps + 1}).energies;
      EXPECT_NEAR(energies[steps], norm2(residual), 1e-4);
      EXPECT_NEAR(energies[steps + 1], norm2(residual) - std::pow(on_u ? l1_u : l1_v, 2) / 300,
                  1e-4);
    }
  }
}

// Gaussian coordinates reach 3.8 at dim 1024, a one-hot vector 32.
TEST(KashinDecomposition, FlattensGaussianAndOneHotVectors) {
  Random random(4);
  for (const BasisKind kind : {BasisKind::kFast, BasisKind::kHaar, BasisKind::kSignDct}) {
    const auto basis = make_basis(kind, 1024, 7);
    const auto factors = decompose_greedy(sphere_vector(1024, random).data(), *basis);
    EXPECT_LT(largest(factors.u), 1.75);
    EXPECT_LT(largest(factors.v), 1.75);
    std::vector<float> hot(1024);
    hot[77] = 32;
    const auto flat = decompose_greedy(hot.data(), *basis);
    EXPECT_LT(largest(flat.u), 0.5);
    EXPECT_LT(largest(flat.v), 2.2);
  }
}

// Two steps on u, then two on v: after one block u holds +-c1 +-c2 and no other value.
TEST(KashinDecomposition, AlternatesInBlocksWithFourPeaks) {
  Random random(5);
  const auto basis = make_basis(BasisKind::kSignDct, 512, 7);
  const auto factors = decompose_alternating(sphere_vector(512, random).data(), *basis, {0, 4});
  for (auto factor : {factors.u, factors.v}) {
    for (float& value : factor) value = std::round(value * 1e4F);
    std::sort(factor.begin(), factor.end());
    EXPECT_EQ(std::unique(factor.begin(), factor.end()) - factor.begin(), 4);
  }
  // Each vector's own by .0012, so the mean of ten by .0004: four standard errors.
  const auto energies = mean_energies(decompose_alternating, BasisKind::kSignDct, 8);
  EXPECT_NEAR(energies[4], 0.0169, 0.0016);
  EXPECT_NEAR(energies[8], 0.00035, 0.0001);
}

TEST(KashinDecomposition, TakesAnyDimAndZero) {
  Random random(6);
  for (const Decompose decompose : {decompose_greedy, decompose_alternating}) {
    for (std::size_t dim = 1; dim <= 20; ++dim) {
      const auto basis = make_basis(BasisKind::kFast, dim, 7);
      EXPECT_EQ(decompose(std::vector<float>(dim).data(), *basis, {}).energies.size(), 1U);
      const auto x = sphere_vector(dim, random);
      const auto factors = decompose(x.data(), *basis, {1e-3, 2000});
      EXPECT_LT(std::sqrt(norm2(residual_of(x, factors, *basis)) / norm2(x)), 2e-3) << dim;
    }
  }
}

}  // namespace
}  // namespace obliq
