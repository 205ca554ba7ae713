// Codes over dictionaries of bases, held to the published and simulated distortions at R bits.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/random.h"
#include "obliq/quantizer.h"
#include "quant/codebook.h"
#include "quant/kashin/joint_encoder.h"
#include "tests/quant/vectors.h"

namespace obliq {
namespace {

using test_vectors::norm2;
using test_vectors::sphere_vector;

// D = 1 - cos^2(x, y): the distortion of y times the best constant for each vector.
double distortion_of(const std::string& spec, std::size_t dim, int samples) {
  Random random(10);
  std::vector<float> y(dim);
  double sum = 0;
  for (int i = 0; i < samples; ++i) {
    const auto quantizer = make_quantizer(spec, dim, random.next());
    std::vector<std::uint8_t> code(quantizer->layout().code_bytes);
    const auto x = sphere_vector(dim, random);
    Factors factors;
    quantizer->encode(x.data(), code.data(), factors);
    quantizer->decode(code.data(), factors, y.data());
    double xy = 0;
    for (std::size_t j = 0; j < dim; ++j) xy += double{x[j]} * y[j];
    sum += (1 - xy * xy / norm2(x) / norm2(y)) / samples;
  }
  return sum;
}

struct Row {
  const char* spec;
  double d;
  double tolerance;  // relative
};

void expect_rows(std::initializer_list<Row> rows, std::size_t dim, int samples) {
  for (const Row& row : rows) {
    EXPECT_NEAR(distortion_of(row.spec, dim, samples), row.d, row.tolerance * row.d) << row.spec;
  }
}

// Published and simulated figures at dim 1024. Vectors differ by 5 to 15 % here, hence the many
// samples (standard error 1 %), each in a basis of its own.
TEST(KashinCode, PaperHasTheDistortionOfGreedyAndClusteredPairs) {
  expect_rows(
      {{"kashin2:paper", .2945, .05}, {"kashin3:paper", .1185, .08}, {"kashin4:paper", .056, .05}},
      1024, 100);
  // The simulation had .0255, .0108 and .0025, with centroids fitted to the few vectors that it
  // measured; ours serve vectors that they have not seen.
  expect_rows(
      {{"kashin5:paper", .0283, .05}, {"kashin6:paper", .0124, .05}, {"kashin8:paper", .0029, .05}},
      1024, 100);
}

TEST(KashinCode, AlternatingHasTheDistortionOfClusteredFactors) {
  expect_rows({{"kashin2:alternating", .281, .05},
               {"kashin4:alternating", .0165, .05},
               {"kashin4:alternating:signdct", .0165, .05},
               {"kashin6:alternating", .0049, .05},
               {"kashin3:alternating", .0465, .05}},
              1024, 100);
  // The simulation's centroids left .00090: another local optimum of k-means.
  expect_rows({{"kashin8:alternating", .00050, .06}}, 1024, 100);
}

// The mean distortion of a joint encoder over Gaussian vectors.
double joint_distortion(const std::vector<std::vector<float>>& levels,
                        const JointSchedule& schedule, std::size_t dim, int samples) {
  Random random(11);
  double sum = 0;
  for (int i = 0; i < samples; ++i) {
    const Dictionary dictionary(BasisKind::kFast, dim, levels.size(), random.next());
    const JointEncoder encoder(dictionary, levels, schedule);
    const auto x = sphere_vector(dim, random);
    std::vector<std::uint8_t> indices(levels.size() * dim);
    encoder.encode(x.data(), indices);
    std::vector<float> values;
    for (std::size_t j = 0; j < indices.size(); ++j) {
      values.push_back(levels[j / dim][indices[j]]);
    }
    std::vector<float> y(dim);
    dictionary.synthesise(values.data(), y.data());
    for (std::size_t j = 0; j < dim; ++j) y[j] -= x[j];
    sum += norm2(y) / norm2(x) / samples;
  }
  return sum;
}

std::vector<float> lloyd_max(std::size_t bits, double scale) {
  std::vector<float> levels;
  for (const double level : normal_codebook(bits).levels) {
    levels.push_back(static_cast<float>(level * scale));
  }
  return levels;
}

// The first sweep codes x, then in the second basis what is left: D = D_b^2 for b bits each.
TEST(JointEncoder, CodesTheResidualInTheSecondBasisFirst) {
  for (const std::size_t bits : {1, 2, 3, 4}) {
    const double d = distortion(normal_codebook(bits));
    const double got = joint_distortion({lloyd_max(bits, 1), lloyd_max(bits, std::sqrt(d))},
                                        {.hard_sweeps = 1}, 1024, 40);
    EXPECT_NEAR(got, d * d, 0.05 * d * d) << bits;
  }
}

// Refining both in turn: .1054, .0137 and .00119 were simulated at 1, 2 and 3 bits each (the first
// with sizes fitted to each vector; ours are fixed, which gives no less).
TEST(JointEncoder, GainsByRefiningBothBasesInTurn) {
  EXPECT_NEAR(joint_distortion({lloyd_max(1, .80), lloyd_max(1, .70)}, {}, 1024, 40), .1054,
              .05 * .1054);
  EXPECT_NEAR(joint_distortion({lloyd_max(2, 1), lloyd_max(2, std::sqrt(.11748))}, {}, 1024, 40),
              .0137, .05 * .0137);
  EXPECT_NEAR(joint_distortion({lloyd_max(3, 1), lloyd_max(3, std::sqrt(.03455))}, {}, 1024, 40),
              .00119, .05 * .00119);
}

TEST(JointEncoder, NeverLosesBySweepingOn) {
  const std::vector<std::vector<float>> levels = {lloyd_max(2, .87), {-.36F, .36F}};
  double last = 1;
  for (const std::size_t sweeps : {1, 2, 3, 5, 10}) {
    const double d = joint_distortion(levels, {.hard_sweeps = sweeps}, 256, 20);
    EXPECT_LE(d, last);
    last = d;
  }
}

// No single index can be changed for the better.
TEST(JointEncoder, EndsWhereNoSingleChangeGains) {
  Random random(12);
  for (const JointSchedule& schedule :
       {JointSchedule{}, {.sweeps = 8, .softness = 1}, {.sweeps = 8, .noise = .5F}}) {
    const std::vector<std::vector<float>> levels = {{-.7F, .7F}, {-.4F, .4F}, {-.3F, .3F}};
    const Dictionary dictionary(BasisKind::kFast, 40, 3, 5);
    const auto x = sphere_vector(40, random);
    std::vector<std::uint8_t> indices(120);
    JointEncoder(dictionary, levels, schedule).encode(x.data(), indices);
    const auto error = [&] {
      std::vector<float> values;
      for (std::size_t j = 0; j < 120; ++j) values.push_back(levels[j / 40][indices[j]]);
      std::vector<float> y(40);
      dictionary.synthesise(values.data(), y.data());
      for (std::size_t j = 0; j < 40; ++j) y[j] -= x[j];
      return norm2(y);
    };
    const double least = error();
    for (std::uint8_t& index : indices) {
      index ^= 1;
      EXPECT_GE(error(), least * (1 - 1e-5));
      index ^= 1;
    }
  }
}

// Coordinate descent on the signs of M bases, their sizes fitted to each vector between sweeps.
double fitted_distortion(std::size_t bases, std::size_t dim, int samples) {
  Random random(13);
  double sum = 0;
  for (int i = 0; i < samples; ++i) {
    const Dictionary dictionary(BasisKind::kFast, dim, bases, random.next());
    const auto x = sphere_vector(dim, random);
    std::vector<std::vector<float>> parts(bases, std::vector<float>(dim));  // size * B_m s_m
    auto rest = x;
    for (int sweep = 0; sweep < 40; ++sweep) {
      for (std::size_t m = 0; m < bases; ++m) {
        for (std::size_t j = 0; j < dim; ++j) rest[j] += parts[m][j];
        parts[m] = rest;
        dictionary.apply_inverse(m, parts[m].data());
        for (float& value : parts[m]) value = value < 0 ? -1.0F : 1.0F;
        dictionary.apply(m, parts[m].data());
        double size = 0;  // parts[m] has the squared norm dim
        for (std::size_t j = 0; j < dim; ++j) size += double{rest[j]} * parts[m][j];
        size /= static_cast<double>(dim);
        for (float& value : parts[m]) value *= static_cast<float>(size);
        for (std::size_t j = 0; j < dim; ++j) rest[j] -= parts[m][j];
      }
    }
    sum += norm2(rest) / norm2(x) / samples;
  }
  return sum;
}

// Simulated at dim 256 for 2, 3 and 4 bases with sizes fitted to each vector: .110, .0386, .0141 by
// coordinate descent. Sizes fixed at good values, as a decoder needs them, find lower ends.
TEST(KashinCode, SignsEndBelowCoordinateDescentWithFittedSizes) {
  const double simulated[] = {.110, .0386, .0141};
  const double found[] = {.102, .0373, .0137};
  for (std::size_t bases = 2; bases <= 4; ++bases) {
    const double d = simulated[bases - 2];
    EXPECT_NEAR(fitted_distortion(bases, 256, 100), d, .05 * d);
    const std::string spec = fmt::format("kashin{}:signs", bases);
    expect_rows({{spec.c_str(), found[bases - 2], .04}}, 256, 100);
  }
}

// Simulated annealing was to reach .091, .0327 and .0152 in 100 sweeps.
TEST(KashinCode, AnnealingGetsBelowCoordinateDescent) {
  expect_rows({{"kashin2:anneal", .0844, .03},
               {"kashin3:anneal", .0325, .04},
               {"kashin4:anneal", .0117, .04}},
              256, 60);
}

// Lloyd-Max has .1175, .0345, .0095, .00250, .00064 at 2 to 6 bits and .000041 at 8.
TEST(KashinCode, GraduatedSweepsBeatLloydMaxLevels) {
  expect_rows({{"kashin2", .0797, .02},
               {"kashin3", .0249, .02},
               {"kashin4", .0077, .02},
               {"kashin5", .00217, .02},
               {"kashin6", .00059, .02}},
              1024, 30);
  expect_rows({{"kashin8", .000037, .03}}, 1024, 10);
}

TEST(KashinCode, ServesAllBasesAlike) {
  for (const char* basis : {":butterfly", ":dct", ":signdct"}) {
    expect_rows({{("kashin2" + std::string(basis)).c_str(), .0803, .04}}, 512, 20);
  }
  expect_rows({{"kashin2:haar", .0803, .04}}, 256, 20);
}

TEST(KashinCode, RefusesSignCodesOfMoreThanFourBits) {
  for (const char* spec : {"kashin5:signs", "kashin8:anneal"}) {
    try {
      make_quantizer(spec, 16);
      FAIL() << "accepted " << spec;
    } catch (const std::invalid_argument& error) {
      EXPECT_NE(std::string(error.what()).find(spec), std::string::npos);
    }
  }
  EXPECT_EQ(make_quantizer("kashin3:haar:signs", 16)->spec(), "kashin3:signs:haar");
}

}  // namespace
}  // namespace obliq
