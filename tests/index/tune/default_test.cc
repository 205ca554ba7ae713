// What a search does that names neither nprobe nor a target recall, and what a target means beyond
// the last k that was tuned.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/random.h"
#include "datasets/dataset.h"
#include "index/index_access.h"
#include "index/tune/recall_plan.h"
#include "tests/index/cases.h"

namespace obliq {
namespace {

using testing::clustered;

Matrix<float> gaussian(std::size_t n, std::size_t dim, std::uint64_t seed) {
  Random random(seed);
  Matrix<float> x(n, dim);
  for (float& value : x.values) value = static_cast<float>(random.gaussian());
  return x;
}

Tuning tuned_for_ten_and_hundred() {
  Tuning tuning;
  tuning.queries = 500;
  tuning.ladders = {{10, 0.99F, {{0.8F, -6, 4, false}, {0.95F, -8, 16, true}}},
                    {100, 0.9F, {{0.8F, -5, 8, false}, {0.864F, -6, 40, true}}}};
  return tuning;
}

double missing_share(const SearchResult& found) {
  const auto& ids = found.ids.values;
  return static_cast<double>(std::count(ids.begin(), ids.end(), -1)) /
         static_cast<double>(ids.size());
}

TEST(DefaultPlan, AimsAtAShareOfWhatAllListsGiveAndAtNoMoreThanItsMost) {
  EXPECT_DOUBLE_EQ(default_recall(1), 0.95);
  EXPECT_DOUBLE_EQ(default_recall(0.9), 0.96 * 0.9);
  const Tuning tuning = tuned_for_ten_and_hundred();
  const StopPolicy ten = plan_default(tuning, 10, {100000, 1000});
  ASSERT_TRUE(ten.threshold.has_value());
  EXPECT_NEAR(*ten.threshold, -8, 0.02);  // .9504 would be the target without the most
  const StopPolicy hundred = plan_default(tuning, 100, {100000, 1000});
  ASSERT_TRUE(hundred.threshold.has_value());
  EXPECT_NEAR(*hundred.threshold, -6, 1e-4);
}

TEST(DefaultPlan, WithoutTuningGrowsWithListsAndWithK) {
  EXPECT_EQ(plan_default({}, 10, {999, 120}).nprobe, 120U);
  EXPECT_EQ(plan_default({}, 10, {1000000, 4000}).nprobe, 127U);  // 2 sqrt(4000) + .2
  std::size_t before = 0;
  for (const std::size_t k : {1U, 100U, 1000U, 10000U, 100000U, 4000000U}) {
    const StopPolicy plan = plan_untuned(k, {1000000, 4000});
    EXPECT_GT(plan.nprobe, before) << k;
    EXPECT_FALSE(plan.threshold.has_value());
    before = plan.nprobe;
  }
  EXPECT_EQ(before, 4000U);
  EXPECT_LT(plan_untuned(10, {1000000, 1000}).nprobe, plan_untuned(10, {1000000, 4000}).nprobe);
  EXPECT_EQ(plan_untuned(10, {5000, 1}).nprobe, 1U);
}

TEST(PlanBeyondTheTunedK, LeadsFromTheLastLadderToAllListsWithoutTheStopRule) {
  const Tuning tuning = tuned_for_ten_and_hundred();
  const IndexExtent index = {100000, 1000};
  for (const double recall : {0.5, 0.8, 0.85, 0.899}) {
    std::size_t before = 8;
    for (const std::size_t k : {101U, 200U, 1000U, 10000U, 99999U}) {
      const StopPolicy plan = plan_recall(tuning, recall, k, index);
      EXPECT_FALSE(plan.threshold.has_value());
      EXPECT_GE(plan.nprobe, before) << "k " << k << " recall " << recall;
      before = plan.nprobe;
    }
    for (const std::size_t k : {100000U, 5000000U}) {
      EXPECT_EQ(plan_recall(tuning, recall, k, index).nprobe, 1000U);
    }
  }
  // Half-way from k = 100 to n in log k: the geometric mean of 8 and all lists, 89.4.
  EXPECT_EQ(plan_recall(tuning, 0.5, 3162, index).nprobe, 90U);
  // Lists for 3162 / (1 - .8 / .9)^(2/3) = 13,680 vectors: 1000 (1 - exp(-.1368)) = 127.9.
  EXPECT_EQ(plan_recall(tuning, 0.8, 3162, index).nprobe, 128U);
}

// 2,000 vectors, of which 1,000 are asked for. Recall at k = 1,000 varies little from query to
// query (a standard deviation of .02), so that of 200 queries has a standard error below .002; the
// rest of the tolerance is the margin of .003 that tuning leaves, and as much again for the line.
TEST(PlanBeyondTheTunedK, KeepsTargetsAtThousand) {
  for (const bool tight : {false, true}) {
    const auto all = tight ? clustered(2200, 32, 41, 40) : gaussian(2200, 32, 41);
    Matrix<float> base(2000, 32);
    std::copy_n(all.row(0), base.values.size(), base.row(0));
    Matrix<float> queries(200, 32);
    std::copy_n(all.row(2000), queries.values.size(), queries.row(0));
    const Index index = Index::build(base.view());
    for (const double target : {0.8, 0.9, 0.95}) {
      const auto found = index.search(queries.view(), {.k = 1000, .target_recall = target});
      EXPECT_GE(testing::recall(Metric::l2, base, queries, found), target - 0.01)
          << "tight " << tight << " target " << target;
      EXPECT_EQ(missing_share(found), 0);
    }
  }
}

TEST(DefaultSearch, FindsKAnswersTunedOrNot) {
  const auto base = clustered(5000, 16, 42, 100);
  for (const bool tune : {true, false}) {
    for (const char* quantizer : {"sq8", "lm2"}) {
      const Index index = Index::build(base.view(), {.quantizer = quantizer, .tune = tune});
      for (const std::size_t k : {1U, 10U, 100U, 1000U, 5000U}) {
        const auto found = index.search(base.view().slice(0, 20), {.k = k});
        EXPECT_EQ(missing_share(found), 0) << quantizer << " tune " << tune << " k " << k;
      }
    }
  }
}

// Nine of ten vectors are copies of one, which any search finds; the queries ask for the others.
TEST(DefaultSearch, ReachesItsRecallBesideCopies) {
  Matrix<float> base = gaussian(5000, 16, 1);
  for (std::size_t i = 1; i < base.rows; ++i) {
    if (i % 10 != 0) std::copy_n(base.row(1), base.cols, base.row(i));
  }
  const Matrix<float> queries = gaussian(200, 16, 2);
  const Index index = Index::build(base.view(), {});
  const SearchResult found = index.search(queries.view());
  const SearchResult truth = index.search(queries.view(), {.nprobe = 5000, .confidence = 1});
  std::size_t right = 0;
  for (std::size_t q = 0; q < queries.rows; ++q) {
    const float kth = truth.distances.row(q)[9];
    right += std::count_if(found.distances.row(q), found.distances.row(q) + 10,
                           [&](float distance) { return distance <= kth; });
  }
  // A mean over 200 queries with a deviation of .1 to .2 is off by .015, that of the 100 learn
  // queries by .02.
  EXPECT_GT(static_cast<double>(right) / 2000, 0.95 - 0.06);
}

TEST(DefaultSearch, OfAnUntunedIndexIsThatOfPlanUntuned) {
  const auto base = clustered(3000, 16, 43, 100);
  const Index index = Index::build(base.view(), {.nlist = 200, .tune = false});
  for (const std::size_t k : {1U, 10U, 300U}) {
    const std::size_t nprobe = plan_untuned(k, {3000, 200}).nprobe;
    EXPECT_LT(nprobe, 200U);
    EXPECT_EQ(index.search(base.view(), {.k = k}).ids.values,
              index.search(base.view(), {.k = k, .nprobe = nprobe}).ids.values);
  }
}

TEST(DefaultSearch, FollowsATuningThatChanges) {
  const auto base = clustered(3000, 16, 44, 100);
  Index index = Index::build(base.view(), {.nlist = 200});
  const auto lists = [&] {
    SearchCounters counters;
    std::vector<float> distances(10);
    std::vector<std::int64_t> ids(10);
    IndexAccess::search(index, base.view().slice(0, 1), {}, distances.data(), ids.data(),
                        &counters);
    return counters.lists;
  };
  Tuning tuning;
  tuning.queries = 9;
  tuning.ladders = {{10, 1, {{0.95F, -9, 7, false}}}};
  IndexAccess::set_tuning(index, tuning);
  EXPECT_EQ(lists(), 7U);
  EXPECT_EQ(lists(), 7U);
  tuning.ladders[0].targets[0].nprobe = 11;
  IndexAccess::set_tuning(index, tuning);
  EXPECT_EQ(lists(), 11U);
}

class DefaultSearchOfTheSample : public ::testing::TestWithParam<const char*> {
 protected:
  static const datasets::BenchmarkSet& sample() {
    static const auto set =
        datasets::read_set(OBLIQ_SOURCE_DIR "/datasets/sample/sample-384-angular.hdf5");
    return set;
  }
  static double recall_of(const SearchResult& found) {
    std::size_t hits = 0;
    for (std::size_t q = 0; q < found.ids.rows; ++q) {
      const std::int64_t* truth = sample().truth.ids.row(q);
      const std::set<std::int64_t> near(truth, truth + found.ids.cols);
      for (std::size_t j = 0; j < found.ids.cols; ++j) hits += near.count(found.ids.row(q)[j]);
    }
    return static_cast<double>(hits) / static_cast<double>(found.ids.values.size());
  }
};

INSTANTIATE_TEST_SUITE_P(Presets, DefaultSearchOfTheSample,
                         ::testing::Values("fast", "small", "tiny"),
                         [](const auto& preset) { return std::string(preset.param); });

// The tolerance is that of targets on the sample (stop_test.cc): 500 queries, whose mean recall t
// has a standard error of at most sqrt(t (1 - t) / 500).
TEST_P(DefaultSearchOfTheSample, ReachesItsRecallAndScansNoMoreThanItTakes) {
  const Preset& preset = parse_preset(GetParam());
  const Index index =
      Index::build(sample().train.view(), {.metric = Metric::cosine,
                                           .quantizer = std::string(preset.quantizer),
                                           .spill = preset.spill});
  const auto tuning = index.stats().tuning;
  for (std::size_t i = 0; i < tuning.ladders.size(); ++i) {
    const TunedLadder& ladder = tuning.ladders[i];
    const auto aim = static_cast<float>(default_recall(ladder.max_recall));
    const auto target = std::find_if(ladder.targets.begin(), ladder.targets.end(),
                                     [&](const TunedTarget& tuned) { return tuned.recall == aim; });
    ASSERT_NE(target, ladder.targets.end()) << "k " << ladder.k;
    EXPECT_LT(target->nprobe, index.stats().nlist) << "k " << ladder.k;
    const auto found = index.search(sample().test.view(), {.k = ladder.k});
    const double slack = 2 * std::sqrt(aim * (1 - aim) / 500.0);
    EXPECT_GE(recall_of(found), aim - 0.003 - slack) << "k " << ladder.k;
    EXPECT_EQ(found.ids.values,
              index
                  .search(sample().test.view(),
                          {.k = ladder.k, .target_recall = default_recall(ladder.max_recall)})
                  .ids.values);
  }
}

}  // namespace
}  // namespace obliq
