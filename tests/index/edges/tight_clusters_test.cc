// Clusters so tight and so far apart that distances inside one are a small part of the lengths:
// whatever is rounded relative to a length must not hide them. Truth is in double precision.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/index/edges/edge_data.h"

namespace obliq {
namespace {

using testing::double_recall;
using testing::EdgeSet;
using testing::tight_clusters;

constexpr std::size_t kRows = 800;
constexpr std::size_t kDim = 48;
constexpr std::size_t kCentres = 8;

double exhaustive_recall(Metric metric, const EdgeSet& set, BuildOptions build,
                         float confidence = SearchOptions{}.confidence) {
  build.metric = metric;
  build.tune = false;
  const Index index = Index::build(set.base.view(), build);
  SearchOptions search;
  search.nprobe = kRows;
  search.confidence = confidence;
  return double_recall(metric, set, index.search(set.queries.view(), search), 1e-7);
}

struct Place {
  double noise;
  double offset;
};

// Farther away floats do not hold tighter clusters.
constexpr Place kPlaces[] = {{1e-2, 0}, {1e-3, 0}, {1e-4, 0}, {1e-5, 0}, {1e-2, 30}, {1e-3, 30}};

class TightClusters : public ::testing::TestWithParam<std::tuple<Metric, Place>> {
 protected:
  Metric metric_ = std::get<0>(GetParam());
  double noise_ = std::get<1>(GetParam()).noise;
  double offset_ = std::get<1>(GetParam()).offset;
  EdgeSet set_ = tight_clusters(kRows, kDim, kCentres, noise_, offset_);
  /// What one rounding of a coordinate to float is, of the noise: the data itself.
  double rounding_ = std::max(1.0, offset_) * 0x1p-24 / noise_;
};

// What the codes of a quantizer find in clusters as wide as they are far apart, they find in tight
// ones: the clusters look alike from inside. .03: a recall of 500 answers has a deviation of .01.
TEST_P(TightClusters, AreSearchedAsWellAsWideOnes) {
  const EdgeSet wide = tight_clusters(kRows, kDim, kCentres, .3);
  for (const char* spec : {"sq8", "lm4", "lm2", "tq4", "tqp4", "tcq2", "e8q14", "d4q8", "kashin4",
                           "wf4", "lm4:query"}) {
    BuildOptions build;
    build.quantizer = spec;
    build.nlist = 4 * kCentres;  // more, or k-means may take two clusters for one
    const double expected = exhaustive_recall(Metric::l2, wide, build);
    EXPECT_GT(exhaustive_recall(metric_, set_, build), expected - .04) << spec;
    if (build.quantizer != "sq8") continue;
    build.spill = .5;  // second entries must not take bits from the first
    EXPECT_GT(exhaustive_recall(metric_, set_, build), expected - .04) << "spilled";
  }
}

// 96.4 % of the neighbours at the threshold pass each of two bounds, and nearer ones more often.
TEST_P(TightClusters, AreSearchedExactlyWithARawTier) {
  for (const double spill : {0.0, .5}) {
    for (const std::size_t nlist : {kCentres, std::size_t{40}}) {
      BuildOptions build;
      build.quantizer = "sq8";
      build.nlist = nlist;
      build.spill = spill;
      build.raw = RawTier::fp32;
      // ip is a sum of products, whose rounding in floats is 2^-24 of the lengths; and what
      // rounding leaves of the data costs twice its share of the noise.
      const double most = metric_ == Metric::ip && noise_ < 1e-4 ? .9 : .97 - 2 * rounding_;
      EXPECT_GT(exhaustive_recall(metric_, set_, build), most) << spill << " " << nlist;
      EXPECT_GT(exhaustive_recall(metric_, set_, build, 1), most) << spill << " " << nlist;
      build.raw = RawTier::fp16;
      EXPECT_GT(exhaustive_recall(metric_, set_, build), most - .02) << spill << " " << nlist;
    }
  }
}

std::string set_name(const ::testing::TestParamInfo<TightClusters::ParamType>& at) {
  const auto& [metric, place] = at.param;
  const int digits = static_cast<int>(.5 - std::log10(place.noise));
  return to_string(metric) + "_noise_1em" + std::to_string(digits) +
         (place.offset > 0 ? "_far" : "_near");
}

INSTANTIATE_TEST_SUITE_P(Edges, TightClusters,
                         ::testing::Combine(::testing::Values(Metric::l2, Metric::ip,
                                                              Metric::cosine),
                                            ::testing::ValuesIn(kPlaces)),
                         set_name);

TEST(FarLists, SurviveTheFileAndGiveBackTheirVectors) {
  const EdgeSet set = tight_clusters(2000, 32, 20, 1e-4);
  for (const RawTier raw : {RawTier::none, RawTier::fp16, RawTier::fp32}) {
    BuildOptions build;
    build.quantizer = "sq8";
    build.raw = raw;
    build.spill = .3;
    const Index index = Index::build(set.base.view(), build);
    const std::string path = ::testing::TempDir() + "/far-" + std::to_string(::getpid()) + ".obliq";
    index.save(path);
    const Index opened = Index::open(path, {Residence::mapped, true});
    std::remove(path.c_str());
    const SearchResult before = index.search(set.queries.view());
    const SearchResult after = opened.search(set.queries.view());
    EXPECT_EQ(before.ids.values, after.ids.values);
    EXPECT_EQ(before.distances.values, after.distances.values);
    std::vector<float> x(32);
    for (std::int64_t id = 0; id < 2000; id += 97) {
      opened.reconstruct(id, x.data());
      const float* truth = set.base.row(static_cast<std::size_t>(id));
      // fp32 is exact; a code of 8 bits and fp16 are off by a part of the noise, and the rotation
      // by some roundings of a length.
      for (std::size_t j = 0; j < 32; ++j) {
        EXPECT_NEAR(x[j], truth[j], raw == RawTier::fp32 ? 0 : 1e-5) << to_string(raw);
      }
    }
  }
}

// A wide set with a tight group far from it, of one row in a hundred, for which the queries ask.
EdgeSet wide_and_tight(double distance, double noise) {
  EdgeSet set{"wide and tight", Matrix<float>(4000, 32), Matrix<float>(50, 32)};
  testing::fill_gaussian(set.base, 1);
  testing::fill_gaussian(set.queries, 2);
  const std::vector<float> centre(set.base.row(0), set.base.row(0) + 32);
  const auto move = [&](float* x) {
    for (std::size_t j = 0; j < 32; ++j) {
      x[j] = static_cast<float>(distance * centre[j] + noise * x[j]);
    }
  };
  for (std::size_t i = 0; i < set.base.rows; i += 100) move(set.base.row(i));
  for (std::size_t i = 0; i < set.queries.rows; ++i) move(set.queries.row(i));
  return set;
}

// A list is kept relative to its centroid where that is far, however few lists are.
TEST(FewFarRows, AreKeptByHalvesAsWellAsByFloats) {
  const EdgeSet set = wide_and_tight(8, 1e-3);
  for (const Metric metric : {Metric::l2, Metric::ip}) {
    BuildOptions build;
    build.quantizer = "sq8";
    build.raw = RawTier::fp32;
    const double floats = exhaustive_recall(metric, set, build, 1);
    build.raw = RawTier::fp16;
    // 500 answers, of which a deviation of .01 is rounded the other way.
    EXPECT_GT(exhaustive_recall(metric, set, build, 1), floats - .03) << to_string(metric);
  }
}

// Near-duplicates share their list with rows a thousand times as far from its centroid. Codes of a
// byte tell 1e-2 of that apart.
//
// All near-duplicates have the same signs and codes, so that one error per stage and index decides
// for all of them: the mean of eight indexes counts, with bounds of four standard deviations, of
// which the tails of 16 errors may still cost one index a part of its answers.
TEST(MixedLists, HideNoShortResiduals) {
  constexpr int kSeeds = 8;
  for (const double noise : {1e-2, 1e-3}) {
    const EdgeSet set = wide_and_tight(1, noise);
    double coded = 0;
    double exact = 0;
    for (int seed = 1; seed <= kSeeds; ++seed) {
      BuildOptions build;
      build.quantizer = "sq8";
      build.nlist = 20;
      build.seed = static_cast<std::uint64_t>(seed);
      if (seed == 1) coded = exhaustive_recall(Metric::l2, set, build, .99997F);
      build.raw = RawTier::fp32;
      exact += exhaustive_recall(Metric::l2, set, build, .99997F) / kSeeds;
    }
    if (noise == 1e-2) {
      EXPECT_GT(coded, .85);
    }
    EXPECT_GT(exact, .96) << noise;
  }
}

// Norms over eight decades: most residuals of a list are below what fp16 tells in its units.
TEST(MixedLists, AreSearchedExactlyWithARawTier) {
  EdgeSet set{"norms", Matrix<float>(3000, 32), Matrix<float>(50, 32)};
  testing::fill_gaussian(set.base, 1);
  testing::fill_gaussian(set.queries, 2);
  Random random(3);
  for (Matrix<float>* x : {&set.base, &set.queries}) {
    for (std::size_t i = 0; i < x->rows; ++i) {
      const auto length = static_cast<float>(std::pow(10, 8 * random.uniform() - 4));
      for (std::size_t j = 0; j < 32; ++j) x->row(i)[j] *= length;
    }
  }
  BuildOptions build;
  build.quantizer = "sq8";
  build.raw = RawTier::fp32;
  EXPECT_GT(exhaustive_recall(Metric::l2, set, build), .96);
}

// Unit vectors of such clusters differ by 2e-7 in a coordinate, less than fp16 tells apart as it
// is.
TEST(SmallAngles, AreKeptByHalvesAsWellAsByCodes) {
  const EdgeSet set = tight_clusters(kRows, kDim, kCentres, 1e-4, 60);
  BuildOptions build;
  build.quantizer = "sq8";
  build.nlist = kCentres;
  const double codes = exhaustive_recall(Metric::cosine, set, build);
  build.raw = RawTier::fp16;
  // What the rounding of the data hides differs by as many answers: .02 of 500.
  EXPECT_GT(exhaustive_recall(Metric::cosine, set, build), codes - .02);
  EXPECT_GT(exhaustive_recall(Metric::cosine, set, build, 1), codes - .02);
}

TEST(SmallAngles, AreToldApartUnderCosine) {
  for (const double noise : {.01, .003, .0005}) {
    EdgeSet set{"small angles", Matrix<float>(1500, 64), Matrix<float>(40, 64)};
    testing::fill_gaussian(set.base, 1);
    testing::fill_gaussian(set.queries, 2);
    for (Matrix<float>* x : {&set.base, &set.queries}) {
      for (float& value : x->values) value = static_cast<float>(1 + noise * value);
    }
    for (const std::string preset : {"fast", "exact"}) {
      BuildOptions build = testing::preset_options(preset);
      build.metric = Metric::cosine;
      const Index index = Index::build(set.base.view(), build);
      SearchOptions search;
      search.target_recall = .9;
      const SearchResult found = index.search(set.queries.view(), search);
      // A mean over 40 queries of .9 has a deviation of .02.
      EXPECT_GT(double_recall(Metric::cosine, set, found), .84) << preset << " " << noise;
      search.target_recall = 0;
      search.nprobe = 1500;
      const SearchResult all = index.search(set.queries.view(), search);
      EXPECT_GT(double_recall(Metric::cosine, set, all), preset == "exact" ? .985 : .95) << noise;
      for (const float distance : all.distances.values) EXPECT_GE(distance, 0);
    }
  }
}

}  // namespace
}  // namespace obliq
