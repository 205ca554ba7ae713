// TurboQuant's variants: constant residual norms (tqp:constnorm), outlier channels (tq2.5, tq3.5),
// and the floor that none may fall below.
//
// Tolerances. 2 % of published values beside the sampling error, which is stated where it is not
// well below that. Seeds are fixed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <stdexcept>
#include <vector>

#include "core/random.h"
#include "measure/distortion.h"
#include "measure/theory.h"
#include "obliq/quantizer.h"
#include "obliq/rotation.h"
#include "quant/codebook.h"

namespace obliq {
namespace {

std::string spec_of(const char* family, std::size_t bits, const char* options = "") {
  return family + std::to_string(bits) + options;
}

/// d Var |r|^2 over random directions, r what Q leaves: Var(f(g) - (h/2) g^2) of f = (g - Q(g))^2
/// with h = E g f'(g) = E (g^2 - 1) f, by quadrature over N(0,1); the subtraction keeps |g| fixed.
double residual_spread(const Codebook& codebook) {
  constexpr double kStep = 1e-3;
  double mean = 0;
  double square = 0;
  double h = 0;
  for (double g = -8; g < 8; g += kStep) {
    double error = 16;
    for (const double level : codebook.levels) error = std::min(error, std::abs(g - level));
    const double mass = std::exp(-g * g / 2) * kStep / std::sqrt(2 * std::numbers::pi);
    const double f = error * error;
    mean += mass * f;
    square += mass * f * f;
    h += mass * (g * g - 1) * f;
  }
  return square - mean * mean - h * h / 2;
}

// As with the stored norm, (pi/2 - 1) D at rho = 0 for the released code's sketch and pi/2 D for
// the paper's. For near neighbours the norm that is the same for all adds what it misses: <r,q>/|r|
// is rho |r|, so rho^2 |r|^2 d Var |r|, a quarter of d Var |r|^2.
TEST(ConstantNorm, HasTheVarianceOfTheStoredOneAcrossAndMoreAlong) {
  constexpr std::size_t kDim = 384;
  const double half_pi = std::numbers::pi / 2;
  const Matrix<float> vectors = distortion_data("sphere", kDim, 2000, 1);
  for (std::size_t bits = 2; bits <= 5; ++bits) {
    const auto report = measure_distortion(spec_of("tqp", bits, ":constnorm"), vectors.view(),
                                           {4000, {0, .9}, 2, 0});
    const double noise = 4 * std::sqrt(2.0 / static_cast<double>(report.queries));
    const double d = distortion(sphere_codebook(bits - 1, kDim));
    const double across = (half_pi - 1) * d;
    EXPECT_NEAR(report.ip_var_d[0], across, (.02 + noise) * across) << report.spec;
    const double stored = across - .5 * .81 * d * d;  // (pi/2 - 1) and (pi/2 - 3/2) differ by 1/2
    const double near = stored + .81 * residual_spread(normal_codebook(bits - 1)) / 4;
    EXPECT_NEAR(report.ip_var_d[1], near, (.03 + noise) * near) << report.spec;
  }
  const auto gaussian =
      measure_distortion("tqp2:gaussian:constnorm", vectors.view(), {1000, {0}, 2, 0});
  const double noise = 4 * std::sqrt(2.0 / static_cast<double>(gaussian.queries));
  const double expected = half_pi * distortion(sphere_codebook(1, kDim));
  EXPECT_NEAR(gaussian.ip_var_d[0], expected, (.02 + noise) * expected);
}

TEST(ConstantNorm, IsOneFactorLess) {
  for (const char* sketch : {":orthogonal", ":gaussian"}) {
    const auto stored = make_quantizer(std::string("tqp4") + sketch, 40)->layout();
    const auto constant = make_quantizer(std::string("tqp4") + sketch + ":constnorm", 40)->layout();
    EXPECT_EQ(stored.factors, 2U);
    EXPECT_EQ(constant.factors, 1U);
    EXPECT_EQ(constant.code_bytes, stored.code_bytes);
  }
}

// The residual norms of the released code are those of the normal levels.
TEST(ConstantNorm, IsThatOfTheReleasedCode) {
  constexpr double kReleased[] = {.60281, .3426687, .185758, .0974343};
  for (std::size_t bits = 2; bits <= 5; ++bits) {
    const double norm = std::sqrt(distortion(normal_codebook(bits - 1)));
    EXPECT_NEAR(norm, kReleased[bits - 2], 3e-3 * norm);
  }
}

TEST(TurboQuant, NeverFallsBelowTheFloorOfItsDim) {
  for (const std::size_t dim : {8, 16, 64}) {
    const Matrix<float> vectors = distortion_data("sphere", dim, 500, 3);
    for (std::size_t bits = 1; bits <= 8; ++bits) {
      const auto report = measure_distortion(spec_of("tq", bits), vectors.view(), {2000, {}, 4, 0});
      EXPECT_GT(report.mse, cap_distortion(dim, static_cast<double>(bits))) << report.spec;
      EXPECT_GT(report.shrunk_mse, cap_distortion(dim, static_cast<double>(bits))) << report.spec;
    }
  }
}

/// Channels that hold the share `energy` between them: every fourth, or every second, from 1.
struct OutlierData {
  Matrix<float> vectors;  // rotated as by an index of seed `kSeed`
  std::vector<bool> outlier;
};
constexpr std::uint64_t kSeed = 17;

OutlierData outlier_data(std::size_t dim, std::size_t every, double energy, std::size_t rows) {
  OutlierData data{Matrix<float>(rows, dim), std::vector<bool>(dim)};
  for (std::size_t i = 1; i < dim; i += every) data.outlier[i] = true;
  const auto share = 1 / static_cast<double>(every);
  Random random(5);
  const auto rotation = make_rotation(dim, kSeed);
  for (std::size_t n = 0; n < rows; ++n) {
    for (std::size_t i = 0; i < dim; ++i) {
      const double variance = data.outlier[i] ? energy / share : (1 - energy) / (1 - share);
      data.vectors.row(n)[i] = static_cast<float>(random.gaussian() * std::sqrt(variance));
    }
    rotation->apply(data.vectors.row(n));
  }
  return data;
}

double relative_error(const Quantizer& quantizer, const Matrix<float>& vectors) {
  std::vector<std::uint8_t> code(quantizer.layout().code_bytes);
  std::vector<float> decoded(quantizer.dim());
  double error = 0;
  double norm = 0;
  for (std::size_t n = 0; n < vectors.rows; ++n) {
    const float* x = vectors.row(n);
    Factors factors;
    quantizer.encode(x, code.data(), factors);
    quantizer.decode(code.data(), factors, decoded.data());
    for (std::size_t i = 0; i < quantizer.dim(); ++i) {
      error += (double{x[i]} - decoded[i]) * (double{x[i]} - decoded[i]);
      norm += double{x[i]} * x[i];
    }
  }
  return error / norm;
}

// f D_outliers + (1 - f) D_others, with the normal law's D: .7 % above those of the parts' dims.
TEST(OutlierChannels, HaveThePublishedDistortion) {
  struct {
    const char* spec;
    std::size_t every;
    double energy;
    double distortion;
  } constexpr kRows[] = {{"tq2.5", 4, .25, .0967},
                         {"tq2.5", 4, .5, .0760},
                         {"tq2.5", 4, .8, .0511},
                         {"tq3.5", 2, .5, .02202},
                         {"tq3.5", 2, .8, .014510}};
  for (const auto& row : kRows) {
    const OutlierData data = outlier_data(768, row.every, row.energy, 400);
    const auto quantizer = make_quantizer(row.spec, 768, kSeed);
    const auto trained = quantizer->train({data.vectors.view()});
    // Where no channel stands out, a trained quantizer finds some that do in this sample.
    const bool flat = row.energy * static_cast<double>(row.every) == 1;
    const double error = relative_error(flat ? *quantizer : *trained, data.vectors);
    EXPECT_NEAR(error, row.distortion, .02 * row.distortion) << row.spec << ", " << row.energy;
    if (flat) continue;
    // Untrained, the outliers are no more in the first channels than elsewhere.
    EXPECT_GT(relative_error(*quantizer, data.vectors), 1.2 * row.distortion);
  }
}

TEST(OutlierChannels, AreThoseWithTheLargestMeanSquare) {
  for (const std::size_t dim : {5, 22, 101}) {
    const OutlierData data = outlier_data(dim, 4, .9, 300);
    const auto trained = make_quantizer("tq2.5", dim, kSeed)->train({data.vectors.view()});
    const std::vector<std::uint8_t> state = trained->state();
    ASSERT_EQ(state.size(), (dim + 7) / 8);
    // Every fourth from 1 are at least the (dim + 1) / 4 that it takes.
    std::size_t found = 0;
    for (std::size_t i = 0; i < dim; ++i) {
      const bool taken = (state[i / 8] >> (i % 8) & 1) != 0;
      found += taken ? 1 : 0;
      EXPECT_LE(taken, data.outlier[i]) << i;
    }
    EXPECT_EQ(found, (dim + 1) / 4);
  }
}

TEST(OutlierChannels, ComeBackFromTheState) {
  const OutlierData data = outlier_data(50, 4, .9, 100);
  const auto trained = make_quantizer("tq3.5", 50, kSeed)->train({data.vectors.view()});
  const auto again = make_quantizer("tq3.5", 50, kSeed, trained->state());
  EXPECT_EQ(again->state(), trained->state());
  std::vector<std::uint8_t> code(trained->layout().code_bytes);
  Factors factors;
  trained->encode(data.vectors.row(0), code.data(), factors);
  std::vector<float> expected(50);
  std::vector<float> decoded(50);
  trained->decode(code.data(), factors, expected.data());
  again->decode(code.data(), factors, decoded.data());
  EXPECT_EQ(decoded, expected);
  EXPECT_TRUE(make_quantizer("tq3.5", 50, kSeed)->state().empty());
}

TEST(OutlierChannels, RefuseAStateThatIsNoBitmapOfTheRightNumber) {
  const auto make = [](const std::vector<std::uint8_t>& state) {
    return make_quantizer("tq2.5", 12, 1, state);
  };
  EXPECT_EQ(make({0x07, 0x00})->state().size(), 2U);
  for (const std::vector<std::uint8_t>& state : std::vector<std::vector<std::uint8_t>>{
           {0x07}, {0x07, 0, 0}, {0x0F, 0}, {0x03, 0}, {0x03, 0x10}, {0, 0}}) {
    EXPECT_THROW(make(state), std::invalid_argument) << testing::PrintToString(state);
  }
}

TEST(OutlierChannels, StateTheBitsThatTheyTake) {
  EXPECT_EQ(make_quantizer("tq2.5", 128)->bits(), 2.25);
  EXPECT_EQ(make_quantizer("tq3.5", 128)->bits(), 3.5);
  EXPECT_EQ(make_quantizer("tq2.5", 128)->layout().code_bytes, 128 * 9 / 4 / 8U);
  EXPECT_EQ(make_quantizer("tq2.5", 1)->bits(), 2);
  EXPECT_EQ(make_quantizer("tq2.5", 1)->layout().factors, 1U);
}

}  // namespace
}  // namespace obliq
