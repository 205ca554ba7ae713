// The order in which lists are handed out.
#include "index/search/router.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>
#include <vector>

#include "index/build/builder.h"
#include "index/segment/vector_transform.h"
#include "tests/index/cases.h"

namespace obliq {
namespace {

using testing::clustered;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

PreparedQuery prepared(const Segment& segment, const float* query) {
  PreparedQuery made(segment);
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
    const Segment segment = build_segment(MatrixSource(base.view()), build);
    const Router router(segment);
    RouteScratch scratch;
    SearchCounters counters;
    std::vector<Probe> some;
    std::vector<Probe> all;
    std::size_t missed = 0;
    for (std::size_t i = 0; i < queries.rows; ++i) {
      const PreparedQuery query = prepared(segment, queries.row(i));
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
  const Segment segment = build_segment(MatrixSource(base.view()), build);
  const Router router(segment);
  RouteScratch scratch;
  SearchCounters counters;
  ListCursor cursor;
  std::size_t better_later = 0;
  for (std::size_t i = 0; i < 50; ++i) {
    const PreparedQuery query = prepared(segment, base.row(i));
    std::vector<Probe> probes;
    router.route(query, 300, 300, scratch, probes, counters);
    router.begin(cursor, scratch);
    std::set<std::uint32_t> seen;
    for (std::size_t l = 0; l < 300; ++l) {
      if (l == 10) {  // another query comes between
        ListCursor others;
        router.begin(others, scratch);
        const PreparedQuery other = prepared(segment, base.row(i + 4000));
        const Probe nearest = router.next(other, others, scratch, counters);
        EXPECT_NE(nearest.list, probes[0].list) << i;
      }
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

TEST(Router, HandsOutListsWithDamagedNumbersLast) {
  const auto base = clustered(4000, 32, 21, 20);
  BuildOptions build;
  build.nlist = 200;
  Segment segment = build_segment(MatrixSource(base.view()), build);
  std::vector<ListRecord> lists(segment.lists.begin(), segment.lists.end());
  for (std::size_t l = 0; l < 200; l += 3) {
    lists[l].mean_r2 = std::numeric_limits<float>::quiet_NaN();
  }
  segment.lists = lists;
  const Router router(segment);
  RouteScratch scratch;
  SearchCounters counters;
  ListCursor cursor;
  const PreparedQuery query = prepared(segment, base.row(0));
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
