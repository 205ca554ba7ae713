// Trellis-coded quantization: the code against its definition, the search against its own cost and
// against all codes of small dims, the tables against Lloyd's condition and the published
// distortions.
//
// Tolerances. Squared errors of n coordinates have a mean with relative standard error of about
// 1.4/sqrt(n); 4 of them are allowed where nothing else is said. Seeds are fixed.
#include "quant/trellis/trellis.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "core/random.h"
#include "measure/distortion.h"
#include "measure/theory.h"
#include "measure/trellis_training.h"
#include "obliq/quantizer.h"
#include "quant/trellis/trellis_tables.h"
#include "tests/quant/vectors.h"

namespace obliq {
namespace {

using test_vectors::gaussian_vector;

Trellis trained(std::size_t bits) { return Trellis(bits, trellis_table(bits).values()); }

/// By the definition, a bit at a time.
std::vector<std::int16_t> states_of(const std::vector<std::uint8_t>& code, std::size_t dim,
                                    std::size_t bits) {
  std::vector<std::int16_t> states(dim);
  for (std::size_t i = 0; i < dim; ++i) {
    for (std::size_t bit = 0; bit < 8; ++bit) {
      const std::size_t at = (i * bits + bit) % (dim * bits);
      states[i] = static_cast<std::int16_t>(states[i] | (code[at / 8] >> (at % 8) & 1) << bit);
    }
  }
  return states;
}

double squared_error(const Trellis::Levels& levels, const std::vector<float>& x,
                     const std::vector<std::uint8_t>& code, std::size_t bits) {
  const std::vector<std::int16_t> states = states_of(code, x.size(), bits);
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double error = double{x[i]} - levels[static_cast<std::size_t>(states[i])];
    sum += error * error;
  }
  return sum;
}

/// Mean squared error of N(0,1) at one scale, counted by the search itself.
double distortion_at(std::size_t dim, std::size_t bits, std::size_t vectors) {
  const Trellis trellis = trained(bits);
  Random random(dim + bits);
  std::vector<std::uint8_t> code(trellis.code_bytes(dim));
  double sum = 0;
  for (std::size_t n = 0; n < vectors; ++n) {
    sum += trellis.encode(gaussian_vector(dim, random).data(), dim, code.data());
  }
  return sum / static_cast<double>(vectors * dim);
}

TEST(Trellis, LooksLevelsUpByEightBitsOfTheRing) {
  Random random(1);
  Trellis::Table numbers;
  std::iota(numbers.begin(), numbers.end(), std::int16_t{0});
  for (std::size_t bits = 1; bits <= 4; ++bits) {
    const Trellis trellis = trained(bits);
    for (std::size_t dim = 1; dim <= 60; ++dim) {
      std::vector<std::uint8_t> code(trellis.code_bytes(dim));
      for (std::uint8_t& byte : code) byte = static_cast<std::uint8_t>(random.next());
      std::vector<std::int16_t> states(dim);
      trellis.look_up(code.data(), dim, numbers, states.data());
      ASSERT_EQ(states, states_of(code, dim, bits)) << "dim " << dim << ", " << bits << " bits";
    }
  }
}

TEST(Trellis, MultipliesTheLevelsThatItLooksUp) {
  Random random(6);
  for (std::size_t bits = 1; bits <= 4; ++bits) {
    const Trellis trellis = trained(bits);
    const Trellis::Table table = trellis_table(bits).levels;
    for (std::size_t dim = 1; dim <= 140; ++dim) {
      std::vector<std::uint8_t> code(trellis.code_bytes(dim));
      for (std::uint8_t& byte : code) byte = static_cast<std::uint8_t>(random.next());
      std::vector<std::int16_t> levels(dim);
      std::vector<std::int16_t> query(dim);
      trellis.look_up(code.data(), dim, table, levels.data());
      std::int32_t expected = 0;
      for (std::size_t i = 0; i < dim; ++i) {
        query[i] = static_cast<std::int16_t>(static_cast<int>(random.below(4001)) - 2000);
        expected += levels[i] * query[i];
      }
      ASSERT_EQ(trellis.product(code.data(), dim, table, query.data()), expected)
          << "dim " << dim << ", " << bits << " bits";
    }
  }
}

// Tail-biting: the first state is not written anywhere but in the ring itself.
TEST(Trellis, CodesTakeDimTimesBitsBitsAndNoMore) {
  Random random(2);
  for (std::size_t bits = 1; bits <= 4; ++bits) {
    const Trellis trellis = trained(bits);
    for (const std::size_t dim : {1, 3, 8, 21, 100}) {
      std::vector<std::uint8_t> code(trellis.code_bytes(dim), 0xFF);
      ASSERT_EQ(code.size(), (dim * bits + 7) / 8);
      trellis.encode(gaussian_vector(dim, random).data(), dim, code.data());
      const std::size_t last = dim * bits - 8 * (code.size() - 1);  // bits of the last byte
      ASSERT_EQ(code.back() >> last, 0);
    }
  }
}

TEST(Trellis, DecodingThePathGivesTheCostOfTheSearch) {
  Random random(3);
  for (std::size_t bits = 1; bits <= 4; ++bits) {
    const Trellis trellis = trained(bits);
    for (const std::size_t dim : {1, 2, 3, 4, 7, 8, 9, 21, 100, 1024}) {
      const std::vector<float> x = gaussian_vector(dim, random);
      std::vector<std::uint8_t> code(trellis.code_bytes(dim));
      const double cost = trellis.encode(x.data(), dim, code.data());
      const double decoded = squared_error(trellis_table(bits).values(), x, code, bits);
      // Sums of floats: at most half an ulp a step.
      EXPECT_NEAR(cost, decoded, (1e-7 * static_cast<double>(dim) + 1e-6) * decoded)
          << "dim " << dim << ", " << bits << " bits";
    }
  }
}

TEST(Trellis, FindsTheNearestOfAllShortCodes) {
  Random random(4);
  for (std::size_t bits = 1; bits <= 4; ++bits) {
    const Trellis trellis = trained(bits);
    const Trellis::Levels levels = trellis_table(bits).values();
    for (std::size_t dim = 1; dim * bits <= 12; ++dim) {
      for (int n = 0; n < 10; ++n) {
        const std::vector<float> x = gaussian_vector(dim, random);
        std::vector<std::uint8_t> code(trellis.code_bytes(dim));
        trellis.encode(x.data(), dim, code.data());
        const double error = squared_error(levels, x, code, bits);
        for (unsigned ring = 0; ring < 1U << (dim * bits); ++ring) {
          code[0] = static_cast<std::uint8_t>(ring);
          if (code.size() > 1) code[1] = static_cast<std::uint8_t>(ring >> 8);
          ASSERT_GE(squared_error(levels, x, code, bits), error * (1 - 1e-5))
              << "dim " << dim << ", " << bits << " bits";
        }
      }
    }
  }
}

// The bits at the seam, chosen for long codes from the coordinates around it, cost little against
// the best of all seams, which short codes have: 1 to 3 %, and 4 % of sampling error.
TEST(Trellis, LosesLittleAtTheSeamOfLongCodes) {
  for (std::size_t bits = 1; bits <= 4; ++bits) {
    const double longer = distortion_at(64 / bits + 1, bits, 600 * bits);
    const double shorter = distortion_at(64 / bits - 1, bits, 600 * bits);
    EXPECT_NEAR(longer, shorter, .07 * shorter) << bits << " bits";
  }
}

TEST(Trellis, CodesTheOppositeVectorByTheComplement) {
  Random random(5);
  for (std::size_t bits = 1; bits <= 4; ++bits) {
    const Trellis trellis = trained(bits);
    std::vector<float> x = gaussian_vector(64, random);
    std::vector<std::uint8_t> code(trellis.code_bytes(64));
    std::vector<std::uint8_t> opposite(code.size());
    trellis.encode(x.data(), 64, code.data());
    for (float& value : x) value = -value;
    trellis.encode(x.data(), 64, opposite.data());
    for (std::size_t i = 0; i < code.size(); ++i) EXPECT_EQ(code[i] ^ opposite[i], 0xFF);
  }
}

// Plain: neither rescaled nor shrunk. Published are tables of a shorter training, so that their
// values are an upper bound; the others are of this table, 2 % either way.
TEST(Trellis, HasThePublishedDistortionOrLess) {
  constexpr double kPublished[] = {.2854, .0804, .0224, .0064};
  constexpr double kTrained[] = {.2776, .0753, .0202, .00556};
  for (std::size_t bits = 1; bits <= 4; ++bits) {
    const double distortion = distortion_at(1024, bits, 200);
    EXPECT_LT(distortion, kPublished[bits - 1]) << bits << " bits";
    EXPECT_NEAR(distortion, kTrained[bits - 1], .02 * kTrained[bits - 1]) << bits << " bits";
    EXPECT_GT(distortion, shannon_distortion(static_cast<double>(bits)));
  }
}

TEST(TrellisTables, ChangeByLessThanHalfAPercentInOneMoreLloydPass) {
  for (std::size_t bits = 1; bits <= 4; ++bits) {
    const Trellis::Levels levels = trellis_table(bits).values();
    const LloydPass pass = lloyd_pass(bits, levels, 300, 6);
    const double before = lloyd_pass(bits, levels, 60, 7).distortion;
    const double after = lloyd_pass(bits, pass.levels, 60, 7).distortion;
    EXPECT_NEAR(after, before, .005 * before) << bits << " bits";
  }
}

TEST(TrellisTables, AreWhereTrainingLeads) {
  for (std::size_t bits = 1; bits <= 4; ++bits) {
    Trellis::Levels levels = random_levels(bits, 8);
    const double random = lloyd_pass(bits, levels, 20, 9).distortion;
    for (std::uint64_t pass = 0; pass < 15; ++pass) {
      levels = lloyd_pass(bits, levels, 20, 10 + pass).levels;
    }
    const double trained = lloyd_pass(bits, levels, 20, 9).distortion;
    const double table = lloyd_pass(bits, trellis_table(bits).values(), 20, 9).distortion;
    EXPECT_LT(trained, random) << bits << " bits";
    EXPECT_LT(table, trained) << bits << " bits";
    EXPECT_GT(table, .8 * trained) << bits << " bits";
  }
}

// After the search for the scale, rescaled; shrunk_mse is what to hold against distortions.
TEST(Tcq, IsUnbiasedWithLessDistortionThanPublished) {
  constexpr std::size_t kDim = 1024;
  constexpr double kPublished[] = {.2854, .0804, .0224, .0064};
  const Matrix<float> vectors = distortion_data("sphere", kDim, 150, 11);
  for (std::size_t bits = 1; bits <= 4; ++bits) {
    const auto spec = "tcq" + std::to_string(bits);
    const DistortionReport report =
        measure_distortion(spec, vectors.view(), {150, {0, .5, .9, 1}, 12, 0});
    EXPECT_EQ(report.bits, static_cast<double>(bits));
    EXPECT_LT(report.shrunk_mse, kPublished[bits - 1]) << spec;
    EXPECT_GT(report.shrunk_mse, shannon_distortion(report.bits)) << spec;
    const auto queries = static_cast<double>(report.queries);
    for (std::size_t r = 0; r < 4; ++r) {
      const double rho = std::vector<double>{0, .5, .9, 1}[r];
      const double variance = (1 - rho * rho) * report.mse * kDim / (kDim - 1);
      EXPECT_NEAR(report.ip_var_d[r], variance, 4 * std::sqrt(2 / queries) * variance + 1e-6);
      EXPECT_NEAR(report.ip_bias[r], 0, 4 * std::sqrt(variance / kDim / queries) + 1e-6);
    }
  }
}

}  // namespace
}  // namespace obliq
