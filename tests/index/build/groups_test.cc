// Groups of lists: numbering, routing beside that without them, files, and what damage does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <limits>
#include <set>

#include "index/build/list_groups.h"
#include "index/search/router.h"
#include "index/segment/centroid_code.h"
#include "index/segment/list_counts.h"
#include "index/segment/model_file.h"
#include "obliq/model.h"
#include "tests/index/cases.h"
#include "tests/index/encoded.h"
#include "tests/index/file_case.h"

namespace obliq {
namespace {

using testing::clustered;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr std::size_t kDim = 24;
constexpr std::size_t kLists = 2000;
constexpr std::size_t kGroups = 60;

// Enough lists that a search of ten looks at less than half of them.
BuildOptions grouped(Metric metric = Metric::l2) {
  BuildOptions build;
  build.metric = metric;
  build.nlist = kLists;
  build.list_groups = kGroups;
  build.kmeans_iterations = 2;
  return build;
}

const Matrix<float>& base() {
  static const Matrix<float> base = clustered(6000, kDim, 51, 60);
  return base;
}

const Matrix<float>& queries() {
  static const Matrix<float> queries = clustered(100, kDim, 51, 60);
  return queries;
}

TEST(ListGroups, AreChosenFromTheLimitOn) {
  EXPECT_EQ(choose_list_groups(0, kLeastGrouped - 1), 1U);
  EXPECT_EQ(choose_list_groups(0, kLeastGrouped), 724U);
  EXPECT_EQ(choose_list_groups(0, 1'000'000), 4000U);
  EXPECT_EQ(choose_list_groups(1, 1'000'000), 1U);
  EXPECT_EQ(choose_list_groups(9, 100), 9U);
  EXPECT_EQ(choose_list_groups(9, 5), 5U);
  EXPECT_EQ(choose_list_groups(0, 0), 1U);
}

TEST(ListGroups, HoldEveryListOnceNextToItsNearestPoint) {
  Matrix<float> centroids = clustered(500, kDim, 53, 30);
  const Matrix<float> before = centroids;
  const ListGroups groups = group_lists(centroids, {.clusters = 20});
  std::multiset<std::vector<float>> rows;
  for (std::size_t l = 0; l < 500; ++l) rows.emplace(before.row(l), before.row(l) + kDim);
  Matrix<float> points(20, kDim);
  std::size_t first = 0;
  for (std::size_t g = 0; g < 20; ++g) {
    const GroupRecord& record = groups.records[g];
    EXPECT_EQ(record.first, first);
    first += record.count;
    const std::uint8_t* panel = groups.panels.data() + g / 16 * 16 * kDim;
    for (std::size_t i = 0; i < kDim; ++i) {
      const int level = panel[(i / 4 * 16 + g % 16) * 4 + i % 4] - 128;
      points.row(g)[i] = record.point.centroid_scale * static_cast<float>(level);
    }
  }
  EXPECT_EQ(first, 500U);
  std::size_t strangers = 0;
  for (std::size_t g = 0; g < 20; ++g) {
    for (std::size_t l = 0; l < groups.records[g].count; ++l) {
      const float* c = centroids.row(groups.records[g].first + l);
      const auto found = rows.find({c, c + kDim});
      ASSERT_NE(found, rows.end());
      rows.erase(found);
      strangers += testing::brute_force(Metric::l2, points, c)[0].second != std::int64_t(g);
    }
  }
  EXPECT_LE(strangers, 5U);  // the points are coded: one in a hundred may change sides
}

TEST(ListGroups, HardlyChangeWhichListsAreProbed) {
  for (const Metric metric : {Metric::l2, Metric::ip}) {
    const SegmentSet set = testing::encoded(base(), grouped(metric));
    ASSERT_EQ(set.model().groups.size(), kGroups);
    const Router router(set);
    RouteScratch scratch;
    PreparedQuery query(set.model());
    std::vector<Probe> some;
    std::vector<Probe> all;
    std::size_t missed = 0;
    SearchCounters counters;
    for (std::size_t i = 0; i < queries().rows; ++i) {
      query.set(queries().row(i));
      router.route(query, kLists, kLists, scratch, all, counters);
      router.route(query, 10, 10, scratch, some, counters);
      ASSERT_EQ(some.size(), 10U);
      for (const Probe& probe : some) missed += probe.key > all[9].key ? 1 : 0;
    }
    EXPECT_GT(counters.signs, 0U);
    EXPECT_LT(counters.signs, queries().rows * kLists / 2);
    EXPECT_EQ(counters.groups, queries().rows * kGroups);
    // 2 % as where all lists are looked at (Router.FindsTheListsThatExactRankingFinds), 2 % more
    // for lists of groups that are not.
    EXPECT_LT(missed, 40U) << to_string(metric);
  }
}

TEST(ListGroups, AreLeftOneAfterTheOtherUntilEveryListWasHandedOut) {
  const SegmentSet set = testing::encoded(base(), grouped());
  const Router router(set);
  RouteScratch scratch;
  RouteScratch disturbed;
  PreparedQuery query(set.model());
  PreparedQuery other(set.model());
  SearchCounters counters;
  for (std::size_t i = 0; i < 5; ++i) {
    query.set(queries().row(i));
    other.set(queries().row(i + 50));
    ListCursor cursor;
    ListCursor same;
    ListCursor another;
    router.begin(cursor, scratch);
    router.begin(same, disturbed);
    std::vector<bool> seen(kLists);
    for (std::size_t l = 0; l < kLists; ++l) {
      const Probe probe = router.next(query, cursor, scratch, counters);
      EXPECT_FALSE(seen[probe.list]);
      seen[probe.list] = true;
      if (l % 7 == 0) {  // left for another query, as batches do
        router.begin(another, disturbed);
        router.next(other, another, disturbed, counters);
      }
      EXPECT_EQ(router.next(query, same, disturbed, counters).list, probe.list);
    }
  }
}

TEST(ListGroups, LeaveExhaustiveAnswersAsTheyAre) {
  for (const Metric metric : {Metric::l2, Metric::ip, Metric::cosine}) {
    BuildOptions build = grouped(metric);
    build.raw = RawTier::fp32;
    build.tune = false;
    SearchOptions search;
    search.nprobe = kLists;
    search.confidence = 1;
    const SearchResult with = Index::build(base().view(), build).search(queries().view(), search);
    EXPECT_EQ(testing::recall(metric, base(), queries(), with), 1.0);
  }
}

TEST(ListGroups, DoNotDependOnThreadsAndBatches) {
  BuildOptions build = grouped();
  build.spill = 0.5;
  SearchOptions search;
  search.batch_order = BatchOrder::list;
  for (const double target : {0.0, 0.9}) {
    search.target_recall = target;
    build.tune = target > 0;
    testing::expect_threads_and_batches_do_not_matter(base(), queries(), build, search);
  }
}

TEST(ListGroups, NumberGivenCentroidsAnewWithoutAnotherAnswer) {
  const Matrix<float> centroids = clustered(kLists, kDim, 51, 60);
  BuildOptions build = grouped();
  build.centroids = centroids.view();
  build.tune = false;
  const Index with = Index::build(base().view(), build);
  build.list_groups = 1;
  const Index without = Index::build(base().view(), build);
  EXPECT_EQ(with.stats().list_groups, kGroups);
  EXPECT_EQ(without.stats().list_groups, 1U);
  SearchOptions search;
  search.nprobe = kLists;
  search.confidence = 1;
  EXPECT_EQ(with.search(queries().view(), search).ids.values,
            without.search(queries().view(), search).ids.values);
}

class GroupsFile : public testing::IndexFileCase {
 protected:
  /// Saves the model with other groups, and expects an error about them.
  void expect_refused(const TrainedModel& model, const std::string& reason) {
    save_model(model, path_);
    EXPECT_THAT([&] { Model::open(path_); }, ThrowsMessage<std::runtime_error>(HasSubstr(reason)));
  }
};

TEST_F(GroupsFile, AnswersAreTheSameAfterOpeningAndTheBytesThoseOfABoundedBuild) {
  const Index built = Index::build(base().view(), grouped());
  built.save(path_);
  const std::string bytes = read();
  const Index opened = Index::open(path_, {.verify = true});
  EXPECT_EQ(opened.stats().list_groups, kGroups);
  EXPECT_EQ(opened.stats().centroid_bytes, built.stats().centroid_bytes);
  EXPECT_EQ(built.search(queries().view()).ids.values, opened.search(queries().view()).ids.values);
  BuildOptions bounded = grouped();
  bounded.max_memory = 32 << 20;
  Index::build_file(MatrixSource(base().view()), path_, bounded);
  EXPECT_TRUE(read() == bytes);
}

TEST_F(GroupsFile, GroupsThatDoNotDivideTheListsAreRefused) {
  TrainedModel model = *testing::trained(base(), grouped());
  std::vector<GroupRecord> records(model.groups.begin(), model.groups.end());
  model.groups = records;
  const std::vector<GroupRecord> sound = records;
  records[7].first += 1;
  expect_refused(model, "section 'groups' at offset");
  expect_refused(model, "group 7 begins at list");
  records = sound;
  records[kGroups - 1].count += 1;
  expect_refused(model, "2001 lists in groups, 2000 in the model");
  records = sound;
  records[3].count = 0xFFFFFFFFU;
  expect_refused(model, "group 4 begins at list");
  records = sound;
  records[2].point.mean_r2 = std::numeric_limits<float>::quiet_NaN();
  expect_refused(model, "group 2 has a number that is not finite");
  records = sound;
  model.group_panels = model.group_panels.subspan(1);
  expect_refused(model, "section 'group.codes'");
}

TEST_F(GroupsFile, DamageIsFoundAtOpening) {
  const auto model = testing::trained(base(), grouped());
  save_model(*model, path_);
  std::string bytes = read();
  const std::string codes(model->group_panels.begin(), model->group_panels.end());
  bytes.at(bytes.find(codes) + 5) ^= 1;
  write(bytes);
  EXPECT_THAT([&] { Model::open(path_); },
              ThrowsMessage<std::runtime_error>(HasSubstr("section 'group.codes'")));
}

}  // namespace
}  // namespace obliq
