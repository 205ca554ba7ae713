// Range searches: all vectors nearer than a radius, no others, and iterators, which hand out all.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string>

#include "core/random.h"
#include "obliq/index.h"
#include "obliq/model.h"
#include "obliq/search_iterator.h"
#include "storage/temporary_folder.h"
#include "tests/index/cases.h"

namespace obliq {
namespace {

using testing::brute_force;
using testing::clustered;
using ::testing::HasSubstr;

constexpr std::size_t kDim = 24;
constexpr std::size_t kN = 2000;

struct Shape {
  Metric metric;
  RawTier raw;
  double spill;
};

class Range : public ::testing::TestWithParam<Shape> {
 protected:
  Range() : base_(clustered(kN, kDim, 51, 40)), queries_(clustered(30, kDim, 52, 40)) {
    BuildOptions build;
    build.metric = GetParam().metric;
    build.raw = GetParam().raw;
    build.spill = GetParam().spill;
    build.quantizer = "sq8";
    build.nlist = 80;
    build.tune = false;
    index_ = std::make_unique<Index>(Index::build(base_.view(), build));
  }

  SearchResult all() const {
    SearchOptions options;
    options.k = kN;
    options.nprobe = 80;
    options.confidence = 1;
    return index_->search(queries_.view(), options);
  }

  Matrix<float> base_;
  Matrix<float> queries_;
  std::unique_ptr<Index> index_;
};

// Radii from one that nothing is in to one that everything is in.
TEST_P(Range, FindsWhatASearchOfAllFindsBelowTheRadius) {
  const SearchResult everything = all();
  RangeSearchOptions options;
  options.confidence = 1;
  for (const std::size_t rank : {0, 1, 17, 300, 1999}) {
    const float radius = everything.distances.row(0)[rank];
    const RangeSearchResult found = index_->range_search(queries_.view(), radius, options);
    ASSERT_EQ(found.lims.size(), queries_.rows + 1);
    for (std::size_t q = 0; q < queries_.rows; ++q) {
      const float* distances = everything.distances.row(q);
      const auto count =
          static_cast<std::size_t>(std::lower_bound(distances, distances + kN, radius) - distances);
      ASSERT_EQ(found.lims[q + 1] - found.lims[q], count) << "query " << q << " rank " << rank;
      EXPECT_EQ(found.cut[q], 0);
      for (std::size_t i = 0; i < count; ++i) {
        ASSERT_EQ(found.ids[found.lims[q] + i], everything.ids.row(q)[i]);
        ASSERT_EQ(found.distances[found.lims[q] + i], distances[i]);
      }
    }
  }
  const float most = std::numeric_limits<float>::infinity();
  EXPECT_EQ(index_->range_search(queries_.view(), most, options).ids.size(), queries_.rows * kN);
  EXPECT_TRUE(index_->range_search(queries_.view(), -most, options).ids.empty());
}

TEST_P(Range, ByFilterIsThePartThatPasses) {
  const SearchResult everything = all();
  Random random(3);
  for (std::size_t round = 0; round < 60; ++round) {
    const float radius = everything.distances.row(random.below(30))[random.below(kN)];
    const auto every = static_cast<std::int64_t>(1 + random.below(round % 2 == 0 ? 4 : 500));
    RangeSearchOptions options;
    options.confidence = 1;
    const RangeSearchResult whole = index_->range_search(queries_.view(), radius, options);
    options.filter = Filter::callback([every](std::int64_t id) { return id % every == 0; });
    const RangeSearchResult part = index_->range_search(queries_.view(), radius, options);
    std::vector<std::int64_t> expected;
    for (const std::int64_t id : whole.ids) {
      if (id % every == 0) expected.push_back(id);
    }
    ASSERT_EQ(part.ids, expected) << "every " << every;
  }
}

TEST_P(Range, KeepsTheNearestOfMoreThanMayBeReturnedAndTells) {
  const SearchResult everything = all();
  const float radius = everything.distances.row(0)[500];
  RangeSearchOptions options;
  options.confidence = 1;
  options.max_results = 100;
  const RangeSearchResult found = index_->range_search(queries_.view(), radius, options);
  std::size_t cut = 0;
  for (std::size_t q = 0; q < queries_.rows; ++q) {
    const float* distances = everything.distances.row(q);
    const bool more = distances[100] < radius;
    EXPECT_EQ(found.cut[q] != 0, more);
    cut += more ? 1 : 0;
    for (std::uint64_t i = found.lims[q]; i < found.lims[q + 1]; ++i) {
      ASSERT_EQ(found.ids[i], everything.ids.row(q)[i - found.lims[q]]);
    }
  }
  EXPECT_GT(cut, 0U);
}

TEST_P(Range, ExactIsTheTrueSetWhereThereAreRawVectors) {
  RangeSearchOptions options;
  options.exact = true;
  if (GetParam().raw != RawTier::fp32) {
    EXPECT_THROW((void)index_->range_search(queries_.view(), 1, options), std::invalid_argument)
        << "only where there are raw vectors";
    return;
  }
  for (std::size_t q = 0; q < queries_.rows; ++q) {
    const auto truth = brute_force(GetParam().metric, base_, queries_.row(q));
    // Halfway between two, so that rounding decides nothing.
    const float radius = (truth[49].first + truth[50].first) / 2;
    const auto found = index_->range_search(queries_.view().slice(q, 1), radius, options);
    std::set<std::int64_t> expected;
    for (std::size_t i = 0; i < 50; ++i) expected.insert(truth[i].second);
    EXPECT_EQ(std::set<std::int64_t>(found.ids.begin(), found.ids.end()), expected) << q;
  }
}

// Of those within the radius at least the share that passes two stages of that confidence, less
// three standard errors of about 3,000 answers.
TEST_P(Range, MissesNoMoreThanTheConfidenceAllows) {
  const SearchResult everything = all();
  const float radius = everything.distances.row(0)[100];
  RangeSearchOptions options;
  options.confidence = 1;
  const std::size_t whole = index_->range_search(queries_.view(), radius, options).ids.size();
  options.confidence = .95F;
  const std::size_t found = index_->range_search(queries_.view(), radius, options).ids.size();
  EXPECT_LE(found, whole);
  EXPECT_GE(static_cast<double>(found), (.95 * .95 - .015) * static_cast<double>(whole));
}

TEST_P(Range, IteratorsHandOutAllVectorsOnceInOrderOfEachBatch) {
  Random random(9);
  for (std::size_t q = 0; q < 6; ++q) {
    SearchOptions options;
    if (q % 2 == 0) {
      options.nprobe = 80;
      options.confidence = 1;
    }
    const std::int64_t every = q < 3 ? 1 : 7;
    if (every > 1) {
      options.filter = Filter::callback([every](std::int64_t id) { return id % every == 0; });
    }
    SearchIterator iterator = index_->search_iterator(queries_.view().slice(q, 1), options);
    std::set<std::int64_t> seen;
    std::vector<float> distances;
    for (;;) {
      const SearchResult batch = iterator.next(1 + random.below(200));
      if (batch.ids.cols == 0) break;
      const float* row = batch.distances.row(0);
      EXPECT_TRUE(std::is_sorted(row, row + batch.ids.cols));
      distances.insert(distances.end(), row, row + batch.ids.cols);
      for (std::size_t i = 0; i < batch.ids.cols; ++i) {
        EXPECT_EQ(batch.ids.row(0)[i] % every, 0);
        EXPECT_TRUE(seen.insert(batch.ids.row(0)[i]).second) << "id comes twice";
      }
    }
    EXPECT_EQ(seen.size(), (kN - 1) / static_cast<std::size_t>(every) + 1);
    if (q % 2 == 0) {
      EXPECT_TRUE(std::is_sorted(distances.begin(), distances.end()));
    }
    EXPECT_EQ(iterator.next(3).ids.cols, 0U);
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, Range,
                         ::testing::Values(Shape{Metric::l2, RawTier::none, .5},
                                           Shape{Metric::cosine, RawTier::none, 0},
                                           Shape{Metric::ip, RawTier::none, 1},
                                           Shape{Metric::l2, RawTier::fp32, .5},
                                           Shape{Metric::cosine, RawTier::fp32, 0},
                                           Shape{Metric::ip, RawTier::fp32, .5}));

TEST(RangeSearches, RefuseWhatIsNoRadiusOrNoQuery) {
  const Matrix<float> base = clustered(300, kDim, 1, 5);
  const Index index = Index::build(base.view(), {});
  EXPECT_THROW((void)index.range_search(base.view(), std::nanf(""), {}), std::invalid_argument);
  RangeSearchOptions options;
  options.confidence = 0;
  EXPECT_THROW((void)index.range_search(base.view(), 1, options), std::invalid_argument);
  const Matrix<float> other(2, kDim + 1);
  EXPECT_THROW((void)index.range_search(other.view(), 1, {}), std::invalid_argument);
  EXPECT_THROW((void)index.search_iterator(base.view()), std::invalid_argument);
  SearchIterator iterator = index.search_iterator(base.view().slice(0, 1));
  EXPECT_THROW((void)iterator.next(0), std::invalid_argument);
  const std::vector<std::string> absent = {"year"};
  SearchOptions unknown;
  unknown.columns = absent;
  EXPECT_THROW((void)index.search_iterator(base.view().slice(0, 1), unknown),
               std::invalid_argument);
}

// A bit per coordinate tells the 20 vectors of a cluster from others, but not those of the next
// clusters: a target in reach for the first 10 answers is out of reach for 100.
TEST(Iterators, GoOnWhereTheirTargetRecallIsOutOfReach) {
  const Matrix<float> base = clustered(1000, kDim, 3, 50);
  BuildOptions build;
  build.quantizer = "lm1";
  build.nlist = 20;
  Index index = Index::build(base.view(), build);
  index.tune(base.view().slice(0, 200));
  const MatrixView<float> query = base.view().slice(0, 1);
  const auto is_in_reach = [&](std::size_t k, double recall) {
    SearchOptions options;
    options.k = k;
    options.target_recall = recall;
    try {
      (void)index.search(query, options);
      return true;
    } catch (const std::invalid_argument&) {
      return false;
    }
  };
  SearchOptions options;
  options.target_recall = 0.02;
  while (is_in_reach(100, options.target_recall)) options.target_recall += 0.01;
  ASSERT_TRUE(is_in_reach(10, options.target_recall));
  SearchIterator iterator = index.search_iterator(query, options);
  std::set<std::int64_t> seen;
  for (;;) {
    const SearchResult batch = iterator.next(10);
    if (batch.ids.cols == 0) break;
    seen.insert(batch.ids.row(0), batch.ids.row(0) + batch.ids.cols);
  }
  EXPECT_EQ(seen.size(), base.rows);
}

// Estimates above 2, the most that cosine distances are, come back as 2.
TEST(RangeSearches, BeyondTheLargestCosineDistanceFindAll) {
  const Matrix<float> base = clustered(400, 4, 1);
  Matrix<float> opposite = base;
  for (float& value : opposite.values) value = -value;
  BuildOptions build;
  build.metric = Metric::cosine;
  build.quantizer = "lm2";
  const Index index = Index::build(base.view(), build);
  RangeSearchOptions options;
  options.confidence = 1;
  const float radius = std::nextafter(2.0F, 3.0F);
  const RangeSearchResult found = index.range_search(opposite.view(), radius, options);
  EXPECT_EQ(found.ids.size(), base.rows * base.rows);
  EXPECT_LE(*std::max_element(found.distances.begin(), found.distances.end()), 2.0F);
}

// As estimates may: all products of a zero query are 0, but codes of two bits tell others.
TEST(RangeSearches, FindEstimatesThatNoVectorOfTheListIsAsNearAs) {
  const Matrix<float> base = clustered(400, 8, 1);
  const Matrix<float> query(1, 8);
  BuildOptions build;
  build.metric = Metric::ip;
  build.quantizer = "lm2";
  const Index index = Index::build(base.view(), build);
  SearchOptions all;
  all.k = base.rows;
  all.nprobe = index.stats().nlist;
  all.confidence = 1;
  const SearchResult expected = index.search(query.view(), all);
  const float radius = expected.distances.row(0)[40];
  ASSERT_LT(radius, 0);
  RangeSearchOptions options;
  options.confidence = 1;
  const RangeSearchResult found = index.range_search(query.view(), radius, options);
  const std::int64_t* ids = expected.ids.row(0);
  EXPECT_EQ(found.ids, std::vector<std::int64_t>(ids, ids + 40));
}

// Their segments have rows of each other, where vectors are spilled.
TEST(RangeSearches, OfRangesOfListsFindEachVectorOnce) {
  const Matrix<float> base = clustered(1200, kDim, 1);
  BuildOptions build;
  build.raw = RawTier::fp32;
  build.spill = 1;
  build.nlist = 30;
  const Model model = Model::train(base.view(), build);
  const TemporaryFolder folder;
  const std::vector<std::string> whole = {folder / "whole"};
  EncodeOptions encode;
  encode.truth = false;
  model.encode(base.view(), whole[0], encode);
  std::vector<std::string> ranges;
  for (std::uint32_t first = 0; first < 30; first += 10) {
    MergeOptions merge_options;
    merge_options.lists = {first, first + 10};
    merge_options.as_segment = true;
    ranges.push_back(folder / std::to_string(first));
    merge(model, whole, ranges.back(), merge_options);
  }
  RangeSearchOptions options;
  options.exact = true;
  const float radius = brute_force(Metric::l2, base, base.row(0))[600].first;
  const MatrixView<float> queries = base.view().slice(0, 20);
  const auto expected = Index::open(model, whole).range_search(queries, radius, options);
  const auto found = Index::open(model, ranges).range_search(queries, radius, options);
  EXPECT_GT(expected.ids.size(), 600U);
  EXPECT_EQ(found.ids, expected.ids);
  EXPECT_EQ(found.distances, expected.distances);
}

TEST(RangeSearches, OfAnEmptyIndexFindNothing) {
  const Matrix<float> base(0, kDim);
  const Matrix<float> query(1, kDim);
  const Index index = Index::build(base.view(), {});
  EXPECT_EQ(index.range_search(query.view(), 1).lims, (std::vector<std::uint64_t>{0, 0}));
  EXPECT_EQ(index.search_iterator(query.view()).next(5).ids.cols, 0U);
}

}  // namespace
}  // namespace obliq
