// Batches in list order: the same answers as one query at a time, whatever the index and the way
// the work is divided.
#include <gtest/gtest.h>

#include "index/index_access.h"
#include "index/search/batch_searcher.h"
#include "obliq/index.h"
#include "tests/index/cases.h"
#include "tests/index/encoded.h"

namespace obliq {
namespace {

using testing::clustered;
using testing::encoded;
using testing::trained;

constexpr std::size_t kDim = 24;

struct Shape {
  Metric metric;
  double spill;
  RawTier raw;
  const char* quantizer;
};

class Batch : public ::testing::TestWithParam<Shape> {
 protected:
  Batch() : base_(clustered(4000, kDim, 31, 30)), queries_(clustered(150, kDim, 32, 30)) {
    const Shape shape = GetParam();
    build_.metric = shape.metric;
    build_.spill = shape.spill;
    build_.raw = shape.raw;
    build_.quantizer = shape.quantizer;
    build_.nlist = 120;
    build_.kmeans_iterations = 3;
  }

  Matrix<float> base_;
  Matrix<float> queries_;
  BuildOptions build_;
};

void expect_same(const SearchResult& one, const SearchResult& other) {
  EXPECT_EQ(one.ids.values, other.ids.values);
  EXPECT_EQ(one.distances.values, other.distances.values);
}

TEST_P(Batch, HasTheAnswersAndTheWorkOfSingleQueriesInBothOrders) {
  const Index index = Index::build(base_.view(), build_);
  std::vector<SearchOptions> ways(4);
  ways[0].nprobe = 40;
  ways[1].target_recall = 0.92;
  ways[2].nprobe = 60;
  ways[2].confidence = 1;
  ways[3].nprobe = 3;
  for (SearchOptions options : ways) {
    options.batch_order = BatchOrder::query;
    options.threads = 1;
    SearchResult single{Matrix<float>(150, 10), Matrix<std::int64_t>(150, 10)};
    SearchCounters work;
    IndexAccess::search(index, queries_.view(), options, single.distances.values.data(),
                        single.ids.values.data(), &work);
    for (const int threads : {1, 3}) {
      options.batch_order = BatchOrder::list;
      options.threads = threads;
      SearchResult batch = single;
      SearchCounters same;
      IndexAccess::search(index, queries_.view(), options, batch.distances.values.data(),
                          batch.ids.values.data(), &same);
      expect_same(batch, single);
      EXPECT_EQ(same.lists, work.lists);
      EXPECT_EQ(same.entries, work.entries);
      EXPECT_EQ(same.refined, work.refined);
      EXPECT_EQ(same.exact, work.exact);
    }
  }
}

TEST_P(Batch, LeavesOutExcludedRowsAndFillsUpWhenAskedTo) {
  const SegmentSet set = encoded(trained(base_, build_), base_, build_, {1200, 2800});
  const Searcher one(set);
  const BatchSearcher many(one);
  SearchScratch scratch(set.model());
  BatchScratch batch_scratch(set.model());
  SearchPlan plan;
  plan.names_slots = true;
  plan.k = 200;
  plan.stop.nprobe = 12;
  plan.excluded = 1207;
  const std::size_t size = 150 * plan.k;
  std::vector<float> distances(size), same_distances(size);
  std::vector<std::int64_t> slots(size), same_slots(size);
  SearchCounters counters;
  for (std::size_t i = 0; i < 150; ++i) {
    one.search(queries_.row(i), plan, distances.data() + i * plan.k, slots.data() + i * plan.k,
               scratch, counters);
  }
  many.search({queries_.view()}, plan, BatchOrder::list, same_distances.data(), same_slots.data(),
              batch_scratch, counters);
  EXPECT_EQ(slots, same_slots);
  EXPECT_EQ(distances, same_distances);
  EXPECT_EQ(std::count(slots.begin(), slots.end(), 1207), 0);
  EXPECT_EQ(std::count(slots.begin(), slots.end(), -1), 0);
}

INSTANTIATE_TEST_SUITE_P(Shapes, Batch,
                         ::testing::Values(Shape{Metric::l2, 0, RawTier::none, "sq8"},
                                           Shape{Metric::l2, 0.5, RawTier::fp16, "lm4"},
                                           Shape{Metric::ip, 0.5, RawTier::none, "sq8"},
                                           Shape{Metric::ip, 0, RawTier::fp32, "lm3"},
                                           Shape{Metric::cosine, 1, RawTier::none, "lm4"}));

TEST(BatchOrders, HaveAnEmptyIndexFewerVectorsThanKAndNoQueries) {
  const auto base = clustered(5, kDim, 33);
  const auto queries = clustered(40, kDim, 34);
  SearchOptions options;
  options.batch_order = BatchOrder::list;
  const auto few = Index::build(base.view()).search(queries.view(), options);
  for (std::size_t i = 0; i < 40; ++i) {
    EXPECT_GE(few.ids.row(i)[4], 0);
    EXPECT_EQ(few.ids.row(i)[5], -1);
  }
  const Matrix<float> nothing(0, kDim);
  const Index empty = Index::build(nothing.view());
  EXPECT_EQ(empty.search(queries.view(), options).ids.row(39)[9], -1);
  EXPECT_EQ(Index::build(base.view()).search(nothing.view(), options).ids.rows, 0U);
}

TEST(BatchOrders, AreReadByNameAndAMissIsNamed) {
  for (const BatchOrder order : {BatchOrder::automatic, BatchOrder::query, BatchOrder::list}) {
    EXPECT_EQ(parse_batch_order(to_string(order)), order);
  }
  EXPECT_THROW(parse_batch_order("lists"), std::invalid_argument);
}

TEST(BatchOrders, TakeMoreQueriesThanMayBeUnderWay) {
  const auto base = clustered(1500, 8, 35);
  const auto queries = clustered(2 * kMostUnderWay + 5, 8, 36);
  const Index index = Index::build(base.view());
  SearchOptions options;
  options.threads = 1;
  options.batch_order = BatchOrder::query;
  const auto single = index.search(queries.view(), options);
  options.batch_order = BatchOrder::list;
  expect_same(index.search(queries.view(), options), single);
}

TEST(ListOrder, IsWorthItWhereManyQueriesMeetInLongLists) {
  const auto base = clustered(3000, 512, 37);
  BuildOptions build;
  build.nlist = 12;
  build.kmeans_iterations = 2;
  const SegmentSet set = encoded(base, build);
  SearchPlan plan;
  plan.stop.nprobe = 12;
  EXPECT_TRUE(worth_list_order(1000, plan, set));
  EXPECT_FALSE(worth_list_order(2, plan, set));
  plan.stop.nprobe = 8;  // one list after the other
  EXPECT_FALSE(worth_list_order(1000, plan, set));
}

}  // namespace
}  // namespace obliq
