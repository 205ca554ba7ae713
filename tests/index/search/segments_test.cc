// A search over several segments: the answers of one that holds all of them.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "core/random.h"
#include "index/build/merge.h"
#include "index/search/parallel_searcher.h"
#include "index/segment/row_decoder.h"
#include "index/segment/segment_file.h"
#include "tests/index/cases.h"
#include "tests/index/encoded.h"

namespace obliq {
namespace {

using testing::clustered;
using testing::encoded;
using testing::trained;

constexpr std::size_t kDim = 16;
constexpr std::size_t kQueries = 40;

/// Ids in no order, some of them negative.
std::vector<std::int64_t> shuffled_ids(std::size_t n) {
  std::vector<std::int64_t> ids(n);
  std::iota(ids.begin(), ids.end(), -static_cast<std::int64_t>(n) - 1);
  for (std::size_t i = 0; i < n; i += 2) ids[i] += static_cast<std::int64_t>(3 * n);
  Random random(5);
  for (std::size_t i = n; i > 1; --i) std::swap(ids[i - 1], ids[random.below(i)]);
  return ids;
}

SearchResult search(const SegmentSet& set, const Matrix<float>& queries, const SearchPlan& plan,
                    SearchOptions options = {}, SearchCounters* counters = nullptr) {
  options.threads = 1;
  SearchResult result{Matrix<float>(queries.rows, plan.k),
                      Matrix<std::int64_t>(queries.rows, plan.k)};
  ParallelSearcher(set, std::make_shared<SearchPools>())
      .search(queries.view(), plan, options, result.distances.row(0), result.ids.row(0), counters);
  return result;
}

SearchPlan unpruned(std::size_t nprobe, std::size_t k = 10) {
  SearchPlan plan;
  plan.k = k;
  plan.stop.nprobe = nprobe;
  plan.deviations = std::numeric_limits<float>::infinity();
  return plan;
}

struct Shape {
  Metric metric;
  double spill;
  RawTier raw;
  const char* quantizer;
};

class Segments : public ::testing::TestWithParam<Shape> {
 protected:
  Segments() {
    const Shape shape = GetParam();
    options_.metric = shape.metric;
    options_.spill = shape.spill;
    options_.raw = shape.raw;
    options_.quantizer = shape.quantizer;
    options_.nlist = 60;
    options_.kmeans_iterations = 3;
    options_.threads = 1;
    options_.ids = {ids_.data(), ids_.size(), 1};
    model_ = trained(base_, options_);
  }

  SegmentSet cut(const std::vector<std::size_t>& sizes) const {
    return encoded(model_, base_, options_, sizes);
  }

  const Matrix<float> base_ = clustered(6000, kDim, 31, 30);
  const Matrix<float> queries_ = clustered(kQueries, kDim, 31, 30);
  const std::vector<std::int64_t> ids_ = shuffled_ids(6000);
  BuildOptions options_;
  std::shared_ptr<const TrainedModel> model_;
};

INSTANTIATE_TEST_SUITE_P(Shapes, Segments,
                         ::testing::Values(Shape{Metric::l2, 0, RawTier::none, "sq8"},
                                           Shape{Metric::l2, 0.5, RawTier::fp32, "lm4"},
                                           Shape{Metric::ip, 0.5, RawTier::none, "sq8"},
                                           Shape{Metric::ip, 0, RawTier::fp32, "lm3"},
                                           Shape{Metric::cosine, 1, RawTier::none, "lm4"}));

// Units of a list, and with them the last bits of the least numbers, differ between segments.
TEST_P(Segments, HaveTheAnswersOfOneWhereNothingIsPruned) {
  const SegmentSet one = cut({6000});
  const SegmentSet some = cut({1, 40, 4200, 0, 1759});
  ASSERT_TRUE(some.segments()[0].lists.is_sparse());
  ASSERT_FALSE(some.segments()[2].lists.is_sparse());
  for (const std::size_t nprobe : {3U, 12U, 60U}) {
    const SearchResult expected = search(one, queries_, unpruned(nprobe));
    for (const BatchOrder order : {BatchOrder::query, BatchOrder::list}) {
      SearchOptions options;
      options.batch_order = order;
      const SearchResult found = search(some, queries_, unpruned(nprobe), options);
      EXPECT_EQ(found.ids.values, expected.ids.values) << nprobe;
      for (std::size_t i = 0; i < found.distances.values.size(); ++i) {
        const float distance = expected.distances.values[i];
        EXPECT_NEAR(found.distances.values[i], distance, 1e-5 * (1 + std::abs(distance)));
      }
    }
  }
}

TEST_P(Segments, CountTheEntriesOfAll) {
  const SegmentSet some = cut({2000, 3000, 1000});
  SearchCounters counters;
  search(some, queries_, unpruned(60), {}, &counters);
  EXPECT_EQ(counters.lists, kQueries * 60);
  EXPECT_EQ(counters.entries, kQueries * (6000 + some.spilled()));
  EXPECT_EQ(counters.refined, kQueries * 6000);
  EXPECT_EQ(some.spilled() > 0, GetParam().spill > 0);
}

TEST_P(Segments, AreSearchedInTheListsThatTheCallerNamesAndInNoOther) {
  const SegmentSet some = cut({2500, 3500});
  const Router router(some);
  RouteScratch scratch;
  SearchCounters counters;
  std::vector<Probe> probes;
  constexpr std::size_t kNamed = 13;
  Matrix<std::uint32_t> lists(kQueries, kNamed + 1);
  for (std::size_t q = 0; q < kQueries; ++q) {
    PreparedQuery query(some.model());
    query.set(queries_.row(q));
    router.route(query, kNamed, kNamed, scratch, probes, counters);
    lists.row(q)[4] = kNoList;
    for (std::size_t i = 0; i < kNamed; ++i) lists.row(q)[i < 4 ? i : i + 1] = probes[i].list;
  }
  SearchPlan plan = unpruned(kNamed);
  plan.deviations = SearchPlan{}.deviations;
  const SearchResult expected = search(some, queries_, plan);
  for (const BatchOrder order : {BatchOrder::query, BatchOrder::list}) {
    SearchOptions options;
    options.batch_order = order;
    options.lists = lists.view();
    const SearchResult found = search(some, queries_, plan, options);
    EXPECT_EQ(found.ids.values, expected.ids.values);
    EXPECT_EQ(found.distances.values, expected.distances.values);
  }
  std::fill(lists.values.begin(), lists.values.end(), kNoList);
  lists.row(1)[3] = 7;
  SearchOptions options;
  options.lists = lists.view();
  const SearchResult few = search(some, queries_, unpruned(1, 6000), options);
  EXPECT_EQ(few.ids.row(0)[0], -1);
  const auto none = std::count(few.ids.row(1), few.ids.row(1) + 6000, -1);
  EXPECT_EQ(6000 - static_cast<std::size_t>(none), some.entries(7));
}

TEST_P(Segments, AreDecodedAsOne) {
  const SegmentSet one = cut({6000});
  const SegmentSet some = cut({40, 4200, 1760});
  std::vector<std::uint32_t> slots(6000);
  std::iota(slots.begin(), slots.end(), 0U);
  const auto by_id = [&](const SegmentSet& set) {
    auto sorted = slots;
    std::sort(sorted.begin(), sorted.end(),
              [&](std::uint32_t a, std::uint32_t b) { return set.id(a) < set.id(b); });
    return sorted;
  };
  const auto in_one = by_id(one);
  const auto in_some = by_id(some);
  std::vector<float> x(kDim);
  std::vector<float> y(kDim);
  for (std::size_t i = 0; i < 6000; i += 7) {
    ASSERT_EQ(one.id(in_one[i]), some.id(in_some[i]));
    RowDecoder(one).vector(in_one[i], x.data());
    RowDecoder(some).vector(in_some[i], y.data());
    for (std::size_t j = 0; j < kDim; ++j) ASSERT_NEAR(x[j], y[j], 1e-5);
  }
}

/// The set with every spilled entry drawn at random.
SegmentSet damaged(const SegmentSet& sound, std::vector<std::vector<std::uint8_t>>& bytes) {
  Random random(9);
  std::vector<Segment> segments = sound.segments();
  for (Segment& segment : segments) {
    std::vector<std::uint8_t>& own = bytes.emplace_back(segment.spilled.size());
    for (std::uint8_t& byte : own) {
      byte = static_cast<std::uint8_t>(random.below(4) == 0 ? random.below(256) : 0);
    }
    segment.spilled = own;
  }
  return {sound.shared_model(), std::move(segments)};
}

TEST_P(Segments, WithDamagedSpilledEntriesAnswerWithVectorsThatThereAre) {
  const SegmentSet sound = cut({3000, 3000});
  std::vector<std::vector<std::uint8_t>> bytes;
  const SegmentSet set = damaged(sound, bytes);
  const SearchResult found = search(set, queries_, unpruned(60, 100));
  const std::vector<std::int64_t>& ids = found.ids.values;
  EXPECT_TRUE(std::all_of(ids.begin(), ids.end(), [&](std::int64_t id) {
    return std::find(ids_.begin(), ids_.end(), id) != ids_.end();
  }));
}

/// Merges the lists [first, end) of a set into the file of a segment, and opens it.
Segment merged_range(const SegmentSet& set, std::uint32_t first, std::uint32_t end) {
  const auto path = std::filesystem::temp_directory_path() /
                    ("obliq_segments_" + std::to_string(getpid()) + "_" + std::to_string(first));
  std::vector<MergeSource> sources;
  for (const Segment& segment : set.segments()) sources.push_back({segment, "part"});
  MergePlan plan;
  plan.first_list = first;
  plan.end_list = end;
  plan.as_index = false;
  plan.threads = 1;
  merge_segments(set.shared_model(), sources, plan, path.string());
  OpenOptions options;
  options.residence = Residence::memory;
  Segment opened = open_segment(path.string(), set.shared_model(), options);
  std::filesystem::remove(path);
  return opened;
}

// A row that is foreign in one range is a row of the other: it is an answer once.
TEST_P(Segments, OfRangesOfListsHaveTheAnswersOfOne) {
  const SegmentSet one = cut({2000, 4000});
  const SegmentSet ranges(model_, {merged_range(one, 0, 23), merged_range(one, 23, 60)});
  EXPECT_EQ(ranges.n(), 6000U);
  EXPECT_EQ(ranges.slots() > 6000, GetParam().spill > 0);
  const SearchResult expected = search(one, queries_, unpruned(20, 100));
  EXPECT_EQ(search(ranges, queries_, unpruned(20, 100)).ids.values, expected.ids.values);
  std::vector<float> x(kDim);
  for (std::uint32_t slot = 0; slot < ranges.slots(); slot += 5) {
    EXPECT_NO_THROW(RowDecoder(ranges).vector(slot, x.data()));
  }
}

// Copies of five vectors: where nothing is pruned, which of them are kept at the k-th place follows
// from their ids alone. (A copy whose bound is its distance, at the k-th, is not refined.)
TEST(EqualDistances, AreOrderedByIdWhateverTheCut) {
  const auto five = clustered(5, kDim, 3);
  Matrix<float> base(1000, kDim);
  for (std::size_t i = 0; i < base.rows; ++i) std::copy_n(five.row(i % 5), kDim, base.row(i));
  const std::vector<std::int64_t> ids = shuffled_ids(base.rows);
  BuildOptions options;
  options.nlist = 10;
  options.spill = 0;  // spilled entries raise units, and what these cut off is no tie any more
  options.threads = 1;
  options.ids = {ids.data(), ids.size(), 1};
  const auto model = trained(base, options);
  for (const std::vector<std::size_t>& sizes :
       {std::vector<std::size_t>{1000}, {300, 700}, {1, 499, 500}}) {
    const SegmentSet set = encoded(model, base, options, sizes);
    const SearchResult found = search(set, five, unpruned(10, 70));
    for (std::size_t q = 0; q < 5; ++q) {
      std::vector<std::int64_t> expected;
      for (std::size_t i = q; i < base.rows; i += 5) expected.push_back(ids[i]);
      std::sort(expected.begin(), expected.end());
      expected.resize(70);
      EXPECT_TRUE(std::equal(expected.begin(), expected.end(), found.ids.row(q))) << q;
    }
  }
}

}  // namespace
}  // namespace obliq
