// Computed codebooks against published values: Lloyd-Max levels, distortions and entropies for the
// normal law and for coordinates of random directions, each to the digits that are printed.
#include "quant/codebook.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace obliq {
namespace {

/// Positive levels for N(0,1), 1 to 8 bits.
const std::vector<std::vector<double>>& normal_levels() {
  static const std::vector<std::vector<double>> levels = {
      {0.79788456},
      {0.45278003, 1.51041761},
      {0.24509418, 0.75600528, 1.34390928, 2.15194570},
      {0.12839503, 0.38804830, 0.65675912, 0.94234046, 1.25623120, 1.61804639, 2.06901723,
       2.73258957},
      {0.06588966, 0.19805183, 0.33137831, 0.46669952, 0.60493362, 0.74713570, 0.89456512,
       1.04878332, 1.21180438, 1.38634034, 1.57622808, 1.78723322, 2.02872840, 2.31773940,
       2.69111958, 3.26073249},
      {0.033410, 0.100278, 0.167297, 0.234567, 0.302193, 0.370283, 0.438950, 0.508314,
       0.578503, 0.649656, 0.721922, 0.795468, 0.870477, 0.947155, 1.025736, 1.106488,
       1.189720, 1.275794, 1.365141, 1.458276, 1.555831, 1.658589, 1.767542, 1.883977,
       2.009611, 2.146810, 2.298981, 2.471305, 2.672274, 2.917407, 3.240437, 3.744101},
      {0.016828, 0.050491, 0.084173, 0.117886, 0.151645, 0.185461, 0.219348, 0.253319,
       0.287388, 0.321568, 0.355874, 0.390320, 0.424922, 0.459693, 0.494651, 0.529812,
       0.565193, 0.600811, 0.636684, 0.672833, 0.709278, 0.746039, 0.783140, 0.820603,
       0.858454, 0.896720, 0.935428, 0.974610, 1.014297, 1.054523, 1.095327, 1.136747,
       1.178829, 1.221617, 1.265165, 1.309528, 1.354766, 1.400949, 1.448149, 1.496450,
       1.545944, 1.596733, 1.648934, 1.702677, 1.758111, 1.815408, 1.874763, 1.936405,
       2.000602, 2.067671, 2.137993, 2.212028, 2.290339, 2.373634, 2.462811, 2.559041,
       2.663887, 2.779514, 2.909047, 3.057246, 3.231933, 3.447430, 3.734937, 4.189694},
      {0.008446, 0.025339, 0.042235, 0.059135, 0.076040, 0.092952, 0.109874, 0.126806, 0.143750,
       0.160707, 0.177680, 0.194671, 0.211680, 0.228709, 0.245761, 0.262836, 0.279937, 0.297066,
       0.314223, 0.331411, 0.348632, 0.365888, 0.383180, 0.400510, 0.417881, 0.435293, 0.452750,
       0.470253, 0.487804, 0.505405, 0.523058, 0.540766, 0.558531, 0.576355, 0.594240, 0.612188,
       0.630203, 0.648286, 0.666439, 0.684667, 0.702970, 0.721353, 0.739817, 0.758365, 0.777001,
       0.795727, 0.814547, 0.833463, 0.852479, 0.871599, 0.890825, 0.910162, 0.929613, 0.949182,
       0.968873, 0.988689, 1.008636, 1.028718, 1.048939, 1.069304, 1.089818, 1.110486, 1.131313,
       1.152305, 1.173468, 1.194808, 1.216330, 1.238042, 1.259950, 1.282061, 1.304384, 1.326925,
       1.349694, 1.372698, 1.395946, 1.419449, 1.443217, 1.467259, 1.491587, 1.516213, 1.541150,
       1.566410, 1.592008, 1.617958, 1.644276, 1.670980, 1.698087, 1.725617, 1.753589, 1.782027,
       1.810953, 1.840393, 1.870375, 1.900928, 1.932084, 1.963878, 1.996348, 2.029536, 2.063485,
       2.098247, 2.133874, 2.170428, 2.207975, 2.246590, 2.286354, 2.327362, 2.369717, 2.413539,
       2.458962, 2.506143, 2.555259, 2.606521, 2.660174, 2.716508, 2.775871, 2.838686, 2.905473,
       2.976882, 3.053742, 3.137133, 3.228500, 3.329848, 3.444072, 3.575588, 3.731666, 3.925638,
       4.186595, 4.603536}};
  return levels;
}

TEST(Codebook, NormalLevelsAreTheLloydMaxLevelsToOneInAMillion) {
  for (std::size_t bits = 1; bits <= 8; ++bits) {
    const std::vector<double>& expected = normal_levels()[bits - 1];
    const Codebook book = normal_codebook(bits);
    ASSERT_EQ(book.levels.size(), 2 * expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_NEAR(book.levels[expected.size() + i], expected[i], 1e-6) << bits << " bits";
      EXPECT_EQ(book.levels[expected.size() - 1 - i], -book.levels[expected.size() + i]);
    }
  }
}

TEST(Codebook, NormalDistortionAndEntropyAreThePublishedOnes) {
  constexpr double kDistortion[] = {.3633802276, .1174818478, .0345477608, .0095010080,
                                    .0025046684, .0006442397, .0001634782, .0000411851};
  constexpr double kEntropy[] = {1.00000, 1.91110, 2.82487, 3.76533,
                                 4.72978, 5.71008, 6.69958, 7.69412};
  for (std::size_t bits = 1; bits <= 8; ++bits) {
    const Codebook book = normal_codebook(bits);
    EXPECT_NEAR(distortion(book), kDistortion[bits - 1], 1e-8) << bits << " bits";
    EXPECT_NEAR(entropy(book), kEntropy[bits - 1], 1e-5) << bits << " bits";
  }
}

struct SphereRow {
  std::size_t dim;
  double one;     // level of 1 bit
  double two[2];  // levels of 2 bits
  double distortion[5];
};

TEST(Codebook, LevelsForRandomDirectionsAreThePublishedOnes) {
  constexpr SphereRow kRows[] = {
      {16, .81044, {.44996, 1.46883}, {.343185, .105847, .030084, .008094, .002106}},
      {32, .80414, {.45143, 1.48956}, {.353357, .111600, .032261, .008774, .002298}},
      {64, .80101, {.45212, 1.49997}, {.358387, .114526, .033391, .009132, .002399}},
      {96, .79997, {.45234, 1.50345}, {.360056, .115508, .033773, .009253, .002434}},
      {128, .79944, {.45245, 1.50519}, {.360889, .116000, .033966, .009315, .002451}},
      {200, .79888, {.45257, 1.50707}, {.361787, .116533, .034175, .009381, .002471}},
      {256, .79866, {.45262, 1.50780}, {.362136, .116740, .034256, .009408, .002478}},
      {384, .79840, {.45267, 1.50868}, {.362551, .116987, .034353, .009439, .002487}},
      {768, .79814, {.45273, 1.50955}, {.362966, .117234, .034450, .009470, .002496}},
      {1536, .79801, {.45275, 1.50998}, {.363173, .117358, .034499, .009485, .002500}},
      {3072, .79795, {.45277, 1.51020}, {.363277, .117420, .034523, .009493, .002502}}};
  for (const SphereRow& row : kRows) {
    EXPECT_NEAR(sphere_codebook(1, row.dim).levels[1], row.one, 6e-6) << row.dim;
    EXPECT_NEAR(sphere_codebook(2, row.dim).levels[2], row.two[0], 6e-6) << row.dim;
    EXPECT_NEAR(sphere_codebook(2, row.dim).levels[3], row.two[1], 6e-6) << row.dim;
    for (std::size_t bits = 1; bits <= 5; ++bits) {
      EXPECT_NEAR(distortion(sphere_codebook(bits, row.dim)), row.distortion[bits - 1], 6e-7)
          << "dim " << row.dim << ", " << bits << " bits";
    }
  }
  constexpr double kFourBits[2][8] = {
      {.12735, .38472, .65049, .93189, 1.23940, 1.59085, 2.02331, 2.64637},
      {.12787, .38638, .65362, .93710, 1.24777, 1.60434, 2.04593, 2.68886}};
  for (std::size_t i = 0; i < 8; ++i) {
    EXPECT_NEAR(sphere_codebook(4, 64).levels[8 + i], kFourBits[0][i], 6e-6);
    EXPECT_NEAR(sphere_codebook(4, 128).levels[8 + i], kFourBits[1][i], 6e-6);
  }
}

// The conditions that define Lloyd-Max, checked by quadrature of the density itself: each level is
// the mean of its cell, thresholds are midpoints.
TEST(Codebook, EachLevelIsTheMeanOfItsCell) {
  constexpr std::size_t kDim = 10;
  const auto density = [](double t) { return std::pow(1 - t * t / kDim, (kDim - 3) / 2.0); };
  const Codebook book = sphere_codebook(4, kDim);
  for (std::size_t k = 0; k + 1 < book.levels.size(); ++k) {
    EXPECT_DOUBLE_EQ(book.thresholds[k], (book.levels[k] + book.levels[k + 1]) / 2);
    if (k == 0) continue;
    constexpr int kSteps = 2000;
    const double low = book.thresholds[k - 1];
    const double width = (book.thresholds[k] - low) / kSteps;
    double mass = 0;
    double moment = 0;
    for (int i = 0; i < kSteps; ++i) {
      const double t = low + (i + 0.5) * width;
      mass += density(t);
      moment += t * density(t);
    }
    EXPECT_NEAR(book.levels[k], moment / mass, 1e-7);
  }
}

TEST(Codebook, ConvergesAtEveryDimAndHasMassOne) {
  for (std::size_t dim = 1; dim <= 1025; dim += dim < 40 ? 1 : 197) {
    for (std::size_t bits = 1; bits <= 8; ++bits) {
      const Codebook book = coordinate_codebook(bits, dim);
      double mass = 0;
      for (const double share : book.masses) {
        EXPECT_GT(share, 0);
        mass += share;
      }
      EXPECT_NEAR(mass, 1, 1e-12) << "dim " << dim << ", " << bits << " bits";
      for (std::size_t k = 1; k < book.levels.size(); ++k) {
        ASSERT_GT(book.levels[k], book.levels[k - 1]) << "dim " << dim << ", " << bits << " bits";
      }
    }
  }
}

TEST(Codebook, HasAnyNumberOfLevels) {
  for (std::size_t count = 1; count <= 256; ++count) {
    const Codebook book = normal_codebook_of(count);
    ASSERT_EQ(book.levels.size(), count);
    ASSERT_EQ(book.thresholds.size(), count - 1);
    double mass = 0;
    for (std::size_t k = 0; k < count; ++k) {
      const auto density = [](double t) { return std::exp(-t * t / 2) / std::sqrt(2 * M_PI); };
      const double low = k == 0 ? 0 : density(book.thresholds[k - 1]);
      const double high = k + 1 == count ? 0 : density(book.thresholds[k]);
      EXPECT_NEAR(book.levels[k] * book.masses[k], low - high, 1e-9);  // the mean of its cell
      EXPECT_EQ(book.levels[k], -book.levels[count - 1 - k]);
      mass += book.masses[k];
    }
    EXPECT_NEAR(mass, 1, 1e-12);
  }
}

TEST(Codebook, MeanAbsoluteCoordinateIsTheGammaQuotient) {
  EXPECT_DOUBLE_EQ(mean_abs_coordinate(1), 1);
  EXPECT_NEAR(mean_abs_coordinate(2), 2 / M_PI, 1e-15);
  EXPECT_DOUBLE_EQ(mean_abs_coordinate(3), 0.5);
  for (const double dim : {7.0, 100.0, 1536.0}) {
    const double expected =
        std::exp(std::lgamma(dim / 2) - std::lgamma((dim + 1) / 2)) / std::sqrt(M_PI);
    EXPECT_NEAR(mean_abs_coordinate(static_cast<std::size_t>(dim)), expected, 1e-11);
  }
}

}  // namespace
}  // namespace obliq
