// The stop rule and what tuning makes of it: thresholds, target recalls, and what survives a save.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <set>

#include "datasets/dataset.h"
#include "index/index_access.h"
#include "index/search/searcher.h"
#include "index/segment/tuning_section.h"
#include "index/tune/recall_plan.h"
#include "index/tune/stop_trace.h"
#include "index/tune/tuning.h"
#include "storage/section_file.h"
#include "tests/index/cases.h"
#include "tests/index/encoded.h"

namespace obliq {
namespace {

using testing::clustered;
using testing::encoded;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

SearchOptions aiming_at(double recall, std::size_t k = 10) {
  SearchOptions search;
  search.k = k;
  search.target_recall = recall;
  return search;
}

TEST(StopRule, LooksAfterEachListAtFirstAndThenAfterAQuarterMore) {
  std::vector<std::size_t> checks;
  for (std::size_t m = next_check(0); m < 30; m = next_check(m)) checks.push_back(m);
  EXPECT_THAT(checks, ::testing::ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 18, 22, 27));
}

TEST(StopRule, ScoresLessWithMoreListsALongerWaitAndFartherLists) {
  const float score = stop_score({10, 5, 2, 1});
  EXPECT_NEAR(score, -0.9 * std::log(11) - 0.5 - 7, 1e-5);
  EXPECT_LT(stop_score({20, 10, 2, 1}), score);
  EXPECT_LT(stop_score({10, 6, 2, 1}), score);
  EXPECT_LT(stop_score({10, 5, 3, 1}), score);
  EXPECT_GT(stop_score({10, 5, 2, 2}), score);
  EXPECT_EQ(stop_score({10, 5, 2, 0}), -kInfinity);
}

TEST(StopScale, IsTheSquaredDistanceForEveryMetric) {
  // |q| = |x| = 3, <q,x> = 2: |q-x|^2 = 14. A query half as long after the transform: slope 2.
  EXPECT_FLOAT_EQ(StopScale(Metric::l2, 1, 0, 1).distance(14), 14);
  EXPECT_FLOAT_EQ(StopScale(Metric::l2, 1, 0, 1).key(14), 14);
  EXPECT_FLOAT_EQ(StopScale(Metric::cosine, 0.5F, 0, 1).distance(0.7F), 1.4F);
  EXPECT_FLOAT_EQ(StopScale(Metric::ip, 2, 0, 3).distance(-4), 14);
  EXPECT_FLOAT_EQ(StopScale(Metric::ip, 2, 0, 3).key(-2), 14);
}

TEST(Traces, CountAnyOfSeveralVectorsAtTheSameDistance) {
  const std::vector<TopK::Answer> truth = {{1, 7}, {2, 8}, {2, 9}, {3, 1}};
  StopTrace trace;
  TraceRecorder recorder(truth, 2, trace);
  const std::vector<TopK::Answer> first = {{1, 7}, {3, 1}};
  const std::vector<TopK::Answer> then = {{2, 9}, {1, 7}};
  recorder.check({1, 10, kInfinity, first});
  recorder.check({2, 30, -4, then});
  EXPECT_EQ(trace[0].recall, 0.5F);
  EXPECT_EQ(trace[1].recall, 1);
  const Traces traces({trace});
  EXPECT_EQ(traces.at_threshold(-3.9F).entries, 30);
  EXPECT_EQ(traces.at_nprobe(1).recall, 0.5);
  EXPECT_EQ(traces.least_nprobe([](const Outcome& o) { return o.recall >= 1; }), 2U);
}

Tuning ladders() {
  Tuning tuning;
  tuning.queries = 500;
  tuning.ladders = {{1, 1, {{0.9F, -8, 8, false}, {0.99F, -10, 128, true}}},
                    {100, 0.995F, {{0.9F, -6, 32, false}, {0.99F, -kInfinity, 512, true}}}};
  return tuning;
}

TEST(RecallPlan, InterpolatesBetweenTargetsAndBetweenK) {
  const Tuning tuning = ladders();
  EXPECT_EQ(plan_recall(tuning, 0.5, 1, {100000, 1000}).nprobe, 8U);
  EXPECT_FALSE(plan_recall(tuning, 0.5, 1, {100000, 1000}).threshold.has_value());
  // Half-way in log(1 - recall): 1 - sqrt(.1 * .01).
  EXPECT_NEAR(*plan_recall(tuning, 1 - std::sqrt(0.001), 1, {100000, 1000}).threshold, -9, 1e-4);
  EXPECT_EQ(plan_recall(tuning, 0.9, 10, {100000, 1000}).nprobe, 16U);
  EXPECT_EQ(plan_recall(tuning, 0.99, 100, {100000, 1000}).nprobe, 1000U);
  EXPECT_EQ(plan_recall(tuning, 0.999, 1, {100000, 1000}).nprobe, 1000U);
}

TEST(RecallPlan, GoesOnToTheLaterEndWhereTheIndexHasChanged) {
  const Tuning tuning = ladders();
  const StopPolicy by_lists = plan_recall(tuning, 0.9, 1, {100000, 1000, true});
  EXPECT_EQ(by_lists.nprobe, 1000U);
  EXPECT_EQ(by_lists.threshold, -8);
  EXPECT_EQ(by_lists.least, 8U);
  const StopPolicy by_rule = plan_recall(tuning, 0.99, 1, {100000, 1000, true});
  EXPECT_NEAR(*by_rule.threshold, -10, 1e-4);  // .99 is no float
  EXPECT_EQ(by_rule.least, 128U);
  EXPECT_EQ(plan_recall(tuning, 0.99, 1, {100000, 1000}).least, 0U);
  const StopPolicy all = plan_recall(tuning, 0.99, 100, {100000, 1000, true});
  EXPECT_EQ(all.nprobe, 1000U);
  EXPECT_FALSE(all.threshold.has_value());
}

TEST(RecallPlan, AsksForNoLessWhenTheTargetRises) {
  Tuning tuning = ladders();
  for (TunedLadder& ladder : tuning.ladders) ladder.targets[1].uses_stop_rule = false;
  for (const std::size_t k : {1U, 7U, 100U, 300U}) {
    std::size_t before = 0;
    for (double recall = 0.8; recall < 0.995; recall += 0.002) {
      const std::size_t nprobe = plan_recall(tuning, recall, k, {100000, 1000}).nprobe;
      EXPECT_GE(nprobe, before) << "k " << k << " recall " << recall;
      before = nprobe;
    }
  }
}

TEST(RecallPlan, RefusesWhatIsOutOfReachOrUnknown) {
  EXPECT_THAT(
      [] {
        plan_recall(ladders(), 0.999, 100, {100000, 9});
      },
      ThrowsMessage<std::invalid_argument>(HasSubstr("0.999 is out of reach")));
  EXPECT_THAT(
      [] {
        plan_recall({}, 0.9, 10, {100000, 9});
      },
      ThrowsMessage<std::invalid_argument>(HasSubstr("not tuned")));
}

TEST(TuningSection, SurvivesAndRefusesWhatIsDamaged) {
  const Tuning tuning = ladders();
  const auto bytes = write_tuning(tuning);
  const Tuning read = read_tuning(bytes);
  EXPECT_EQ(write_tuning(read), bytes);
  EXPECT_EQ(read.ladders[1].targets[1].threshold, -kInfinity);
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    EXPECT_THROW(read_tuning(std::span(bytes).first(cut)), std::invalid_argument) << cut;
  }
  const auto refused = [&](auto change, const char* why) {
    Tuning damaged = tuning;
    change(damaged.ladders[0]);
    EXPECT_THAT([&] { read_tuning(write_tuning(damaged)); },
                ThrowsMessage<std::invalid_argument>(HasSubstr(why)));
  };
  refused([](TunedLadder& l) { l.targets[1].recall = 0.9F; }, "targets do not rise");
  refused([](TunedLadder& l) { l.targets[1].threshold = -7; }, "thresholds rise");
  refused([](TunedLadder& l) { l.targets[1].threshold = NAN; }, "not a number");
  refused([](TunedLadder& l) { l.targets[1].nprobe = 7; }, "nprobe falls");
  refused([](TunedLadder& l) { l.targets[0].nprobe = 0; }, "nprobe is 0");
  refused([](TunedLadder& l) { l.max_recall = NAN; }, "max_recall");
  refused([](TunedLadder& l) { l.k = 100; }, "k does not rise");
  refused([](TunedLadder& l) { l.targets.clear(); }, "header");
}

TEST(TuningSection, RefusesAChoiceThatIsNeitherTheRuleNorNprobe) {
  auto bytes = write_tuning(ladders());
  constexpr std::size_t kFirstChoice = 16 + 16 + 12;  // section, ladder, then the target's numbers
  ASSERT_EQ(bytes[kFirstChoice], std::byte{0});
  bytes[kFirstChoice] = std::byte{2};
  EXPECT_THAT([&] { read_tuning(bytes); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("choice")));
}

class TunedSearch : public ::testing::TestWithParam<Metric> {
 protected:
  static BuildOptions options(Metric metric) {
    BuildOptions build;
    build.metric = metric;
    build.nlist = 120;
    build.kmeans_iterations = 4;
    return build;
  }
  const Matrix<float> base_ = clustered(3000, 24, 31);
  const Matrix<float> queries_ = clustered(60, 24, 31);
};

INSTANTIATE_TEST_SUITE_P(Metrics, TunedSearch,
                         ::testing::Values(Metric::l2, Metric::ip, Metric::cosine),
                         [](const auto& metric) { return to_string(metric.param); });

TEST_P(TunedSearch, DoesNotDependOnThreadsOrBatch) {
  BuildOptions build = options(GetParam());
  const Index index = Index::build(base_.view(), build);
  build.threads = 1;
  const Index other = Index::build(base_.view(), build);
  EXPECT_EQ(write_tuning(index.stats().tuning), write_tuning(other.stats().tuning));
  const auto batch = index.search(queries_.view(), aiming_at(0.95));
  for (std::size_t i = 0; i < queries_.rows; ++i) {
    const auto one = other.search(queries_.view().slice(i, 1), aiming_at(0.95));
    EXPECT_TRUE(std::equal(one.ids.row(0), one.ids.row(0) + 10, batch.ids.row(i)));
  }
}

TEST_P(TunedSearch, NeverStopsBeforeThereAreKAnswers) {
  const SegmentSet set = encoded(base_, options(GetParam()));
  const Searcher searcher(set);
  SearchScratch scratch(set.model());
  SearchPlan plan;
  plan.stop = {set.model().nlist(), 1e9F};  // as soon as it may
  for (const std::size_t k : {1U, 60U, 300U, 3000U}) {
    plan.k = k;
    std::vector<float> distances(k);
    std::vector<std::int64_t> ids(k);
    SearchCounters counters;
    searcher.search(queries_.row(0), plan, distances.data(), ids.data(), scratch, counters);
    EXPECT_GE(ids.back(), 0) << k;
    EXPECT_GE(counters.lists, kFirstStop);
    EXPECT_TRUE(k == 3000 || counters.lists < 120) << k;
  }
}

TEST_P(TunedSearch, SurvivesASaveAndTuningAgain) {
  const auto path = std::filesystem::temp_directory_path() /
                    ("obliq_stop_" + std::to_string(getpid()) + to_string(GetParam()));
  const Index built = Index::build(base_.view(), options(GetParam()));
  built.save(path);
  Index opened = Index::open(path, {.verify = true});
  std::filesystem::remove(path);
  const auto tuning = built.stats().tuning;
  EXPECT_EQ(tuning.queries, 150U);  // a twentieth of the base
  EXPECT_TRUE(tuning.from_base && tuning.exact_truth);
  EXPECT_EQ(write_tuning(opened.stats().tuning), write_tuning(tuning));
  EXPECT_EQ(opened.search(queries_.view(), aiming_at(0.95)).ids.values,
            built.search(queries_.view(), aiming_at(0.95)).ids.values);
  opened.tune(queries_.view(), {.threads = 2});
  EXPECT_EQ(opened.stats().tuning.queries, queries_.rows);
  EXPECT_FALSE(opened.stats().tuning.from_base || opened.stats().tuning.exact_truth);
}

TEST(TunedIndex, TheMostListsAreNprobeWhenBothAreGiven) {
  const auto base = clustered(3000, 24, 31);
  const Index index = Index::build(base.view(), {.nlist = 120});
  SearchOptions search = aiming_at(0.99);
  search.nprobe = 3;
  SearchCounters counters;
  std::vector<float> distances(10);
  std::vector<std::int64_t> ids(10);
  IndexAccess::search(index, base.view().slice(0, 1), search, distances.data(), ids.data(),
                      &counters);
  EXPECT_LE(counters.lists, 3U);
}

TEST(TunedIndex, WorksAtTheEdges) {
  for (const std::size_t nlist : {1U, 2U, 9U}) {
    const auto base = clustered(1200, 1, 33);
    const Index index = Index::build(base.view(), {.nlist = nlist});
    const auto found = index.search(base.view().slice(0, 3), aiming_at(0.9, 1300));
    EXPECT_EQ(std::count(found.ids.values.begin(), found.ids.values.end(), -1), 300);
  }
  const auto base = clustered(1200, 8, 34);
  const auto same = Matrix<float>(1200, 8);  // zero vectors all
  for (const Metric metric : {Metric::l2, Metric::ip, Metric::cosine}) {
    const Index index = Index::build(same.view(), {.metric = metric, .nlist = 5});
    EXPECT_GE(index.search(base.view().slice(0, 1), aiming_at(0.9)).ids.values[9], 0);
  }
}

TEST(TunedIndex, OfFewVectorsScansAllListsAndUntunedIsRefused) {
  const auto few = clustered(500, 8, 35);
  const Index small = Index::build(few.view());
  EXPECT_EQ(small.stats().tuning.queries, 0U);
  SearchOptions all;
  all.nprobe = 500;
  EXPECT_EQ(small.search(few.view(), aiming_at(0.9)).ids.values,
            small.search(few.view(), all).ids.values);
  const auto base = clustered(1500, 8, 36);
  Index index = Index::build(base.view(), {.tune = false});
  EXPECT_THAT([&] { index.search(few.view(), aiming_at(0.9)); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("tune it")));
  for (const double recall : {-0.1, 1.0, std::nan("")}) {
    EXPECT_THROW(index.search(few.view(), aiming_at(recall)), std::invalid_argument);
  }
  EXPECT_THROW(index.tune(clustered(3, 9, 1).view()), std::invalid_argument);
  EXPECT_THROW(index.tune({}, {.progress = [](auto, auto) { return false; }}), Cancelled);
  index.tune();
  EXPECT_GE(index.search(few.view(), aiming_at(0.9)).ids.values[9], 0);
}

TEST(TunedIndex, SaysWhenItsCodesCannotReachATarget) {
  const auto base = clustered(2000, 32, 37, 3);
  const Index index = Index::build(base.view(), {.quantizer = "lm1"});
  EXPECT_THAT([&] { index.search(base.view(), aiming_at(0.99)); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("out of reach")));
}

// Without it 500 learn queries would be given .9 of what these codes find, about .8 of the truth.
// The 500 others have a standard error of at most sqrt(.81 * .19 / 500); two are allowed.
TEST(TunedIndex, AllowsForWhatItsCodesLoseWhenItIsTunedAgain) {
  const auto all = clustered(5000, 32, 38);
  Matrix<float> base(4000, 32);
  std::copy_n(all.row(0), base.values.size(), base.row(0));
  Matrix<float> queries(500, 32);
  std::copy_n(all.row(4500), queries.values.size(), queries.row(0));
  Index index = Index::build(base.view(), {.quantizer = "lm3", .nlist = 250});
  const auto built = index.stats().tuning.ladders;
  ASSERT_LT(built[1].max_recall, 0.92);
  index.tune(all.view().slice(4000, 500));
  const auto again = index.stats().tuning.ladders;
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(again[i].max_recall, built[i].max_recall, 1e-6);
  const double target = 0.9 * built[1].max_recall;
  EXPECT_GE(
      testing::recall(Metric::l2, base, queries, index.search(queries.view(), aiming_at(target))),
      target - 0.003 - 2 * std::sqrt(target * (1 - target) / 500));
}

// The tuned margin is meant for 1,000 queries; these are 500, whose mean recall t has a standard
// error of at most sqrt(t (1 - t) / 500), as recall is in [0, 1]. Two of them are allowed.
TEST(TunedIndex, ReachesItsTargetsOnTheSamplesQueries) {
  const auto set = datasets::read_set(OBLIQ_SOURCE_DIR "/datasets/sample/sample-384-angular.hdf5");
  const Index index = Index::build(set.train.view(), {.metric = Metric::cosine, .nlist = 400});
  for (const std::size_t k : {1U, 3U, 10U, 30U}) {
    for (const double target : {0.8, 0.9, 0.95, 0.97}) {
      const auto found = index.search(set.test.view(), aiming_at(target, k));
      std::size_t hits = 0;
      for (std::size_t q = 0; q < set.test.rows; ++q) {
        const std::int64_t* truth = set.truth.ids.row(q);
        const std::set<std::int64_t> near(truth, truth + k);
        for (std::size_t j = 0; j < k; ++j) hits += near.count(found.ids.row(q)[j]);
      }
      const double queries = static_cast<double>(set.test.rows);
      EXPECT_GE(static_cast<double>(hits) / (queries * static_cast<double>(k)),
                target - 0.003 - 2 * std::sqrt(target * (1 - target) / queries))
          << "k " << k << " target " << target;
    }
  }
}

}  // namespace
}  // namespace obliq
