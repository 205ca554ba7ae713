// The order in which lists are handed out.
#include "index/search/router.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <set>
#include <vector>

#include "index/segment/vector_transform.h"
#include "tests/index/cases.h"
#include "tests/index/encoded.h"

namespace obliq {
namespace {

using testing::clustered;
using testing::encoded;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

PreparedQuery prepared(const TrainedModel& model, const float* query) {
  PreparedQuery made(model);
  made.set(query);
  return made;
}

TEST(Router, FindsTheListsThatExactRankingFinds) {
  const auto base = clustered(20000, 64, 11, 20);
  const auto queries = clustered(100, 64, 11, 20);
  for (const Metric metric : {Metric::l2, Metric::ip}) {
    BuildOptions build;
    build.metric = metric;
    build.nlist = 500;
    build.kmeans_iterations = 4;
    const SegmentSet set = encoded(base, build);
    const Router router(set);
    RouteScratch scratch;
    SearchCounters counters;
    std::vector<Probe> some;
    std::vector<Probe> all;
    std::size_t missed = 0;
    for (std::size_t i = 0; i < queries.rows; ++i) {
      const PreparedQuery query = prepared(set.model(), queries.row(i));
      router.route(query, 500, 500, scratch, all, counters);
      router.route(query, 10, 10, scratch, some, counters);
      ASSERT_EQ(some.size(), 10U);
      for (const Probe& probe : some) missed += probe.key > all[9].key ? 1 : 0;
    }
    // int8 ranking may swap lists at the border: below 2 % of 1,000 probes.
    EXPECT_LT(missed, 20U) << to_string(metric);
  }
}

TEST(Router, HandsOutEveryListOnceAndTheBestFirst) {
  const auto base = clustered(8000, 32, 21, 20);
  BuildOptions build;
  build.nlist = 300;
  build.kmeans_iterations = 3;
  const SegmentSet set = encoded(base, build);
  const Router router(set);
  RouteScratch scratch;
  SearchCounters counters;
  ListCursor cursor;
  std::size_t better_later = 0;
  for (std::size_t i = 0; i < 50; ++i) {
    const PreparedQuery query = prepared(set.model(), base.row(i));
    std::vector<Probe> probes;
    router.route(query, 300, 300, scratch, probes, counters);
    router.begin(cursor, scratch);
    std::set<std::uint32_t> seen;
    for (std::size_t l = 0; l < 300; ++l) {
      const Probe probe = router.next(query, cursor, scratch, counters);
      EXPECT_EQ(std::isfinite(cursor.mean_key_ahead(8)), l < 299);
      seen.insert(probe.list);
      better_later += l < 16 && probe.key > probes[15].key ? 1 : 0;
    }
    EXPECT_EQ(seen.size(), 300U);
    EXPECT_EQ(cursor.mean_key_ahead(8), kInfinity);
  }
  EXPECT_LT(better_later, 16U);  // int8 ranking may swap lists at the border: below 2 % of 800
}

/// What a cursor hands out: numbers and keys of lists, and the mean key ahead.
struct HandedOut {
  std::vector<std::uint32_t> lists;
  std::vector<float> keys;
  std::vector<float> ahead;
  bool operator==(const HandedOut&) const = default;

  void take(const Router& router, const PreparedQuery& query, ListCursor& cursor,
            RouteScratch& scratch) {
    SearchCounters counters;
    const Probe probe = router.next(query, cursor, scratch, counters);
    lists.push_back(probe.list);
    keys.push_back(probe.key);
    ahead.push_back(cursor.mean_key_ahead(8));
  }
};

TEST(Router, GoesOnWithAQueryAfterListsOfAnother) {
  constexpr std::size_t kLists = 300;
  const auto base = clustered(8000, 32, 21, 20);
  BuildOptions build;
  build.nlist = kLists;
  build.kmeans_iterations = 3;
  const SegmentSet set = encoded(base, build);
  const Router router(set);
  RouteScratch scratch;
  PreparedQuery queries[] = {PreparedQuery(set.model()), PreparedQuery(set.model())};
  ListCursor cursors[2];
  for (std::size_t i = 0; i + 1 < 20; ++i) {
    HandedOut alone[2];
    for (const std::size_t q : {0, 1}) {
      queries[q].set(base.row(i + q));
      router.begin(cursors[q], scratch);
      for (std::size_t l = 0; l < kLists; ++l) {
        alone[q].take(router, queries[q], cursors[q], scratch);
      }
    }
    ASSERT_NE(alone[0].keys, alone[1].keys);
    HandedOut in_turn[2];
    for (const std::size_t q : {0, 1}) router.begin(cursors[q], scratch);
    for (std::size_t begin = 0; begin < kLists; begin += 1 + i) {  // turns of 1, 2, ... lists
      for (const std::size_t q : {0, 1}) {
        const std::size_t end = std::min(kLists, begin + 1 + i);
        for (std::size_t l = begin; l < end; ++l) {
          in_turn[q].take(router, queries[q], cursors[q], scratch);
        }
      }
    }
    EXPECT_TRUE(in_turn[0] == alone[0]) << i;
    EXPECT_TRUE(in_turn[1] == alone[1]) << i;
  }
}

TEST(Router, HandsOutListsWithDamagedNumbersLast) {
  const auto base = clustered(4000, 32, 21, 20);
  BuildOptions build;
  build.nlist = 200;
  const SegmentSet sound = encoded(base, build);
  auto model = std::make_shared<TrainedModel>(sound.model());
  std::vector<ListPoint> lists(model->lists.begin(), model->lists.end());
  for (std::size_t l = 0; l < 200; l += 3) {
    lists[l].mean_r2 = std::numeric_limits<float>::quiet_NaN();
  }
  model->lists = lists;
  const SegmentSet set(model, sound.segments());
  ASSERT_EQ(set.filled(), 200U);
  const Router router(set);
  RouteScratch scratch;
  SearchCounters counters;
  ListCursor cursor;
  const PreparedQuery query = prepared(set.model(), base.row(0));
  router.begin(cursor, scratch);
  std::set<std::uint32_t> seen;
  for (std::size_t l = 0; l < 200; ++l)
    seen.insert(router.next(query, cursor, scratch, counters).list);
  EXPECT_EQ(seen.size(), 200U);
  std::vector<Probe> probes;
  router.route(query, 200, 200, scratch, probes, counters);
  for (std::size_t l = 0; l < 133; ++l) EXPECT_NE(probes[l].list % 3, 0U) << l;
}

}  // namespace
}  // namespace obliq
