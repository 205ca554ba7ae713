// Orthogonal bases: each is orthogonal at any dim and undone by its transpose, the DCT is the
// DCT-II, the reflections draw from Haar's measure, and none is the index's own rotation.
#include "core/basis.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/random.h"
#include "quant/kashin/dictionary.h"
#include "tests/quant/vectors.h"

namespace obliq {
namespace {

using test_vectors::dot;
using test_vectors::gaussian_vector;

constexpr BasisKind kKinds[] = {BasisKind::kFast, BasisKind::kButterfly, BasisKind::kHaar,
                                BasisKind::kDct, BasisKind::kSignDct};

double norm(const std::vector<float>& x) { return std::sqrt(dot(x, x)); }

double distance(const std::vector<float>& x, std::vector<float> y) {
  for (std::size_t i = 0; i < x.size(); ++i) y[i] -= x[i];
  return norm(y);
}

std::vector<float> applied(const Rotation& basis, std::vector<float> x) {
  basis.apply(x.data());
  return x;
}

std::vector<float> applied_inverse(const Rotation& basis, std::vector<float> x) {
  basis.apply_inverse(x.data());
  return x;
}

std::vector<std::size_t> dims() {
  std::vector<std::size_t> all;
  for (std::size_t dim = 1; dim <= 40; ++dim) all.push_back(dim);
  for (const std::size_t dim : {100, 255, 384, 768, 1025}) all.push_back(dim);
  return all;
}

// Float rounding: each of log2(dim) stages or dim reflections adds about 2^-24.
TEST(Basis, KeepsNormsAndIsUndoneByItsTranspose) {
  Random random(1);
  for (const BasisKind kind : kKinds) {
    for (const std::size_t dim : dims()) {
      const auto basis = make_basis(kind, dim, 3);
      ASSERT_EQ(basis->dim(), dim);
      const auto x = gaussian_vector(dim, random);
      const auto y = gaussian_vector(dim, random);
      const auto turned = applied(*basis, x);
      const double bound = 1e-5 * norm(x);
      EXPECT_NEAR(norm(turned), norm(x), bound) << static_cast<int>(kind) << " dim " << dim;
      EXPECT_LT(distance(applied_inverse(*basis, turned), x), bound);
      EXPECT_NEAR(dot(turned, y), dot(x, applied_inverse(*basis, y)), bound * norm(y));
    }
  }
}

TEST(Basis, SpreadsAOneHotVector) {
  for (const BasisKind kind : kKinds) {
    const auto basis = make_basis(kind, 1024, 5);
    for (const std::size_t hot : {0, 1, 511, 1023}) {
      std::vector<float> x(1024);
      x[hot] = 1;
      const auto flat = applied_inverse(*basis, x);
      double l1 = 0;
      for (const float value : flat) l1 += std::abs(value);
      // sqrt(2/pi) = .80 of sqrt(n) for Gaussian coordinates; a butterfly is spikier.
      EXPECT_GT(l1 / 32, 0.6) << static_cast<int>(kind);
    }
  }
}

TEST(Basis, DependsOnTheSeedAlone) {
  Random random(2);
  const auto x = gaussian_vector(48, random);
  for (const BasisKind kind : kKinds) {
    const auto first = applied(*make_basis(kind, 48, 1), x);
    EXPECT_EQ(first, applied(*make_basis(kind, 48, 1), x));
    EXPECT_GT(distance(first, applied(*make_basis(kind, 48, 2), x)), 1);
  }
}

TEST(Basis, RefusesDimZero) {
  for (const BasisKind kind : kKinds) {
    EXPECT_THROW(make_basis(kind, 0, 1), std::invalid_argument);
  }
  EXPECT_THROW(make_dct(0), std::invalid_argument);
}

TEST(Basis, DctIsTheOrthonormalDctII) {
  Random random(3);
  for (const std::size_t dim : {1, 2, 3, 4, 7, 12, 30, 96, 100}) {
    const auto x = gaussian_vector(dim, random);
    const auto got = applied(*make_dct(dim), x);
    const auto n = static_cast<double>(dim);
    for (std::size_t k = 0; k < dim; ++k) {
      double expected = 0;
      for (std::size_t i = 0; i < dim; ++i) {
        const auto phase = static_cast<double>((2 * i + 1) * k);
        expected += x[i] * std::cos(std::numbers::pi * phase / (2 * n));
      }
      EXPECT_NEAR(got[k], expected * std::sqrt((k == 0 ? 1 : 2) / n), 1e-6) << dim << ", " << k;
    }
  }
}

TEST(Basis, SignDctIsAnInvolution) {
  Random random(4);
  const auto basis = make_basis(BasisKind::kSignDct, 96, 9);
  const auto x = gaussian_vector(96, random);
  EXPECT_LT(distance(applied(*basis, applied(*basis, x)), x), 1e-5);
}

TEST(Basis, ButterflyIsMadeOfPlaneRotations) {
  // At dim 2 they compose to one: columns (c, s) and (-s, c).
  const auto basis = make_basis(BasisKind::kButterfly, 2, 8);
  const auto first = applied(*basis, {1, 0});
  const auto second = applied(*basis, {0, 1});
  EXPECT_NEAR(first[0], second[1], 1e-6);
  EXPECT_NEAR(first[1], -second[0], 1e-6);
}

// Kashin's condition, max(|x|_1, |Q^T x|_1) >= c sqrt(n) |x|: what is sparse in one basis is flat
// in the other. The sums e_j + q_j, as sparse as possible in both, come near the published c = .548
// for random Q at n = 500. A Dirac comb stays sparse in the plain DCT (published .330, by other
// vectors), which random signs prevent.
TEST(Basis, KeepsVectorsFromBeingSparseInBothBases) {
  constexpr std::size_t kDim = 500;
  const auto flatness = [](const Rotation& basis, const std::vector<float>& x) {
    const auto turned = applied_inverse(basis, x);
    double l1 = 0;
    double turned_l1 = 0;
    for (const float value : x) l1 += std::abs(value);
    for (const float value : turned) turned_l1 += std::abs(value);
    return std::max(l1, turned_l1) / norm(x) / std::sqrt(double{kDim});
  };
  for (const BasisKind kind : {BasisKind::kFast, BasisKind::kHaar, BasisKind::kSignDct}) {
    const auto basis = make_basis(kind, kDim, 3);
    double least = 1;
    for (std::size_t j = 0; j < kDim; ++j) {
      std::vector<float> hot(kDim);
      hot[j] = 1;
      auto x = applied(*basis, hot);
      x[j] += x[j] < 0 ? -1.0F : 1.0F;
      least = std::min(least, flatness(*basis, x));
    }
    EXPECT_NEAR(least, 0.548, 0.03) << static_cast<int>(kind);
  }
  std::vector<float> comb(kDim);
  for (std::size_t i = 12; i < kDim; i += 25) comb[i] = 1;
  const auto dct = make_dct(kDim);
  EXPECT_LT(flatness(*dct, applied(*dct, comb)), 0.33);
  EXPECT_GT(flatness(*make_basis(BasisKind::kDct, kDim, 3), comb), 0.6);
  EXPECT_GT(flatness(*make_basis(BasisKind::kHaar, kDim, 3), comb), 0.6);
}

// For Haar's measure on O(n) E tr Q = 0, E (tr Q)^2 = 1, E tr Q^2 = 1, and an entry has the second
// and fourth moments 1/n and 3/(n(n+2)). 6000 draws: five standard errors.
TEST(Basis, ReflectionsDrawFromHaarsMeasure) {
  constexpr std::size_t kDim = 5;
  constexpr int kDraws = 6000;
  double trace = 0;
  double trace2 = 0;
  double square_trace = 0;
  std::vector<double> second(kDim * kDim);
  std::vector<double> fourth(kDim * kDim);
  for (int draw = 0; draw < kDraws; ++draw) {
    const auto basis = make_basis(BasisKind::kHaar, kDim, static_cast<std::uint64_t>(draw));
    std::vector<std::vector<float>> columns;
    for (std::size_t j = 0; j < kDim; ++j) {
      std::vector<float> x(kDim);
      x[j] = 1;
      columns.push_back(applied(*basis, x));
    }
    double sum = 0;
    for (std::size_t i = 0; i < kDim; ++i) {
      sum += columns[i][i];
      for (std::size_t j = 0; j < kDim; ++j) {
        const double entry = columns[j][i];
        square_trace += entry * columns[i][j] / kDraws;
        second[i * kDim + j] += entry * entry / kDraws;
        fourth[i * kDim + j] += entry * entry * entry * entry / kDraws;
      }
    }
    trace += sum / kDraws;
    trace2 += sum * sum / kDraws;
  }
  const double error = 5 / std::sqrt(double{kDraws});
  EXPECT_NEAR(trace, 0, error);
  EXPECT_NEAR(trace2, 1, error * std::sqrt(2));
  EXPECT_NEAR(square_trace, 1, error * std::sqrt(2));
  for (const double moment : second) EXPECT_NEAR(moment, 1.0 / 5, error * 0.24);
  for (const double moment : fourth) EXPECT_NEAR(moment, 3.0 / 35, error * 0.16);
}

TEST(Dictionary, SynthesisIsTheTransposeOfAnalysis) {
  Random random(6);
  const Dictionary dictionary(BasisKind::kFast, 50, 3, 11);
  const auto x = gaussian_vector(50, random);
  const auto y = gaussian_vector(150, random);
  std::vector<float> analysed(150);
  std::vector<float> synthesised(50);
  dictionary.analyse(x.data(), analysed.data());
  dictionary.synthesise(y.data(), synthesised.data());
  EXPECT_NEAR(dot(analysed, y), dot(x, synthesised), 1e-4);
  EXPECT_TRUE(std::equal(x.begin(), x.end(), analysed.begin()));
}

TEST(Dictionary, TakesBasesApartFromEachOtherAndFromTheRotationOfTheSeed) {
  Random random(7);
  const auto x = gaussian_vector(64, random);
  const Dictionary dictionary(BasisKind::kFast, 64, 3, 42);
  const auto rotated = applied(*make_rotation(64, 42), x);
  const auto rotated_back = applied_inverse(*make_rotation(64, 42), x);
  const auto first = applied(dictionary.basis(1), x);
  const auto second = applied(dictionary.basis(2), x);
  for (const auto& other : {rotated, rotated_back, second}) EXPECT_GT(distance(first, other), 1);
  EXPECT_GT(distance(second, rotated), 1);
}

}  // namespace
}  // namespace obliq
