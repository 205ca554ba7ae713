// A set times a power of two is the same set: the same codes, ids, and distances times its square,
// as long as floats hold them. What they do not hold is refused by name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "tests/index/edges/edge_data.h"

namespace obliq {
namespace {

using ::testing::AllOf;
using testing::EdgeSet;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

Matrix<float> times(Matrix<float> x, int exponent) {
  for (float& value : x.values) value = std::ldexp(value, exponent);
  return x;
}

class Scale : public ::testing::TestWithParam<std::tuple<std::string, RawTier, Metric>> {};

TEST_P(Scale, ChangesNoAnswer) {
  const auto& [spec, raw, metric] = GetParam();
  const EdgeSet set = testing::tight_clusters(1100, 20, 20, .4, .5);
  BuildOptions build;
  build.quantizer = spec;
  build.raw = raw;
  build.spill = .5;
  build.metric = metric;
  SearchOptions search;
  search.target_recall = .9;
  const SearchResult plain =
      Index::build(set.base.view(), build).search(set.queries.view(), search);
  for (const int exponent : {-60, -13, 58}) {
    const Matrix<float> base = times(set.base, exponent);
    const Matrix<float> queries = times(set.queries, exponent);
    const Index index = Index::build(base.view(), build);
    const SearchResult found = index.search(queries.view(), search);
    EXPECT_EQ(found.ids.values, plain.ids.values) << "2^" << exponent;
    const int square = metric == Metric::cosine ? 0 : 2 * exponent;
    for (std::size_t i = 0; i < found.distances.values.size(); ++i) {
      ASSERT_EQ(found.distances.values[i], std::ldexp(plain.distances.values[i], square));
    }
    std::vector<float> x(20);
    index.reconstruct(7, x.data());
    if (raw != RawTier::fp32 || metric == Metric::cosine) continue;
    EXPECT_TRUE(std::equal(x.begin(), x.end(), base.row(7))) << "2^" << exponent;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Edges, Scale,
    ::testing::Combine(::testing::Values("sq8", "lm3", "e8q14"),
                       ::testing::Values(RawTier::none, RawTier::fp16, RawTier::fp32),
                       ::testing::Values(Metric::l2, Metric::ip, Metric::cosine)),
    [](const auto& at) {
      return std::get<0>(at.param) + "_" + to_string(std::get<1>(at.param)) + "_" +
             to_string(std::get<2>(at.param));
    });

// fp16 of whole numbers is exact, and beyond its largest number the scale helps. A row far from all
// others is kept relative to the centroid of its list, which rounds as a rotation does.
TEST(Fp16, HoldsWhatItCanHoldAtAnyScale) {
  Matrix<float> base(1200, 8);
  Random random(4);
  for (float& value : base.values) value = static_cast<float>(random.below(2000)) - 1000;
  base.row(5)[3] = 65504;
  BuildOptions build;
  build.raw = RawTier::fp16;
  const Index index = Index::build(base.view(), build);
  std::vector<float> x(8);
  for (std::int64_t id = 0; id < 1200; ++id) {
    index.reconstruct(id, x.data());
    const float rounding = id == 5 ? 65504 * 0x1p-20F : 0;
    for (std::size_t j = 0; j < 8; ++j) {
      EXPECT_NEAR(x[j], base.row(static_cast<std::size_t>(id))[j], rounding) << id;
    }
  }
  base.row(77)[1] = 1e9F;
  build.nlist = 1;
  EXPECT_THAT(
      [&] { Index::build(base.view(), build); },
      ThrowsMessage<std::invalid_argument>(AllOf(HasSubstr("base vector 77"), HasSubstr("fp32"))));
}

TEST(WhatFloatsDoNotHold, IsRefusedNamingTheRow) {
  EdgeSet set = testing::tight_clusters(1500, 12, 10, .5);
  const Matrix<float> tiny = times(set.base, -70);
  EXPECT_THAT([&] { Index::build(tiny.view()); },
              ThrowsMessage<std::invalid_argument>(
                  AllOf(HasSubstr("base vector 0"), HasSubstr("multiply"))));
  BuildOptions cosine;
  cosine.metric = Metric::cosine;
  const Index index = Index::build(tiny.view(), cosine);  // lengths do not matter
  const Matrix<float> queries = times(set.queries, -70);
  EXPECT_GT(testing::double_recall(Metric::cosine, set, index.search(queries.view())), .9);

  set.base.row(321)[2] = 0x1p62F;  // squares of 2^124, four of which are more than a float holds
  set.base.row(321)[3] = 0x1p63F;
  EXPECT_THAT([&] { Index::build(set.base.view()); },
              ThrowsMessage<std::invalid_argument>(
                  AllOf(HasSubstr("base vector 321"), HasSubstr("too long"))));
  Matrix<float> far = times(set.base, -60);
  far.row(321)[2] = 0x1p30F;
  far.row(321)[3] = 0;
  EXPECT_THAT([&] { Index::build(far.view()); },
              ThrowsMessage<std::invalid_argument>(
                  AllOf(HasSubstr("base vector 321"), HasSubstr("remove"))));
}

TEST(WhatFloatsDoNotHold, IsRefusedNamingTheCentroid) {
  EdgeSet set = testing::tight_clusters(1500, 12, 10, .5);
  set.base = times(set.base, -17);
  Matrix<float> centroids(3, 12);
  std::copy_n(set.base.row(0), centroids.values.size(), centroids.values.begin());
  centroids.row(1)[7] = 0x1p64F;
  for (const Metric metric : {Metric::l2, Metric::ip, Metric::cosine}) {
    BuildOptions build;
    build.metric = metric;
    build.centroids = centroids.view();
    EXPECT_THAT(
        [&] { Index::build(set.base.view(), build); },
        ThrowsMessage<std::invalid_argument>(AllOf(HasSubstr("centroid 1"), HasSubstr("long"))))
        << to_string(metric);
  }
}

// A query of another size than the base has answers, however far away it is.
TEST(QueriesOfAnotherSize, HaveAnswers) {
  const EdgeSet set = testing::tight_clusters(1500, 12, 10, .5);
  for (const Metric metric : {Metric::l2, Metric::ip, Metric::cosine}) {
    for (const int base_exponent : {-55, 0, 50}) {
      BuildOptions build;
      build.metric = metric;
      const Matrix<float> base = times(set.base, base_exponent);
      const Index index = Index::build(base.view(), build);
      for (const int exponent : {-55, -10, 0, 10, 55}) {
        const Matrix<float> queries = times(set.queries, exponent);
        const SearchResult found = index.search(queries.view());
        EXPECT_EQ(testing::missing(found), 0U);
        for (const float distance : found.distances.values) EXPECT_TRUE(std::isfinite(distance));
        if (metric == Metric::l2) continue;
        EXPECT_GT(testing::double_recall(metric, set, found), .9)
            << to_string(metric) << " 2^" << base_exponent << " 2^" << exponent;
      }
    }
  }
}

// The LUT of the scan has a range of 65,535 for all groups of four dims together.
TEST(ManyDims, LoseNoneOfTheNeighboursThatTheBoundPromises) {
  for (const std::size_t dim : {8740, 65'536}) {
    EdgeSet set{"many dims", Matrix<float>(100, dim), Matrix<float>(20, dim)};
    testing::fill_gaussian(set.base, 1);
    testing::fill_gaussian(set.queries, 2);
    // Neighbours that differ in their distance, since all Gaussian vectors are equally far.
    for (std::size_t i = 0; i < 100; ++i) {
      for (std::size_t j = 0; j < dim; ++j) {
        set.base.row(i)[j] += .02F * static_cast<float>(i % 5) * set.queries.row(i % 20)[j];
      }
    }
    for (const std::string preset : {"fast", "exact"}) {
      BuildOptions build = testing::preset_options(preset);
      build.nlist = 4;
      build.kmeans_iterations = 2;
      const Index index = Index::build(set.base.view(), build);
      SearchOptions search;
      search.k = 5;
      search.nprobe = 4;
      search.confidence = 1;
      const SearchResult unpruned = index.search(set.queries.view(), search);
      search.confidence = SearchOptions{}.confidence;
      const SearchResult pruned = index.search(set.queries.view(), search);
      std::size_t kept = 0;
      for (std::size_t q = 0; q < 20; ++q) {
        for (std::size_t i = 0; i < 5; ++i) {
          kept += std::count(pruned.ids.row(q), pruned.ids.row(q) + 5, unpruned.ids.row(q)[i]) > 0;
        }
      }
      // .964 of them pass each of one or two bounds; of 100, a deviation of .02.
      EXPECT_GE(kept, 90U) << preset << " dim " << dim;
    }
  }
}

}  // namespace
}  // namespace obliq
