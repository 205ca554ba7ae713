// Confidences that tuning has found: which searches take them, and which do not.
#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "index/index_access.h"
#include "index/segment/tuning_section.h"
#include "index/tune/recall_plan.h"
#include "index/tune/stop_trace.h"
#include "tests/index/cases.h"

namespace obliq {
namespace {

using testing::clustered;

const float kUsual = SearchOptions{}.confidence;

Tuning ladders() {
  Tuning tuning;
  tuning.queries = 500;
  tuning.ladders = {{1, 1, {{0.9F, -8, 8, false, 0.7F}, {0.99F, -10, 128, false, 0.9F}}},
                    {100, 1, {{0.9F, -9, 32, false, 0.8F}, {0.99F, -12, 512, true, kUsual}}}};
  return tuning;
}

float confidence_at(double recall, std::size_t k, bool has_changed = false) {
  return plan_recall(ladders(), recall, k, {100000, 1000, has_changed}).confidence.value_or(-1);
}

TEST(TunedConfidence, IsInterpolatedAsTheRestOfAPlan) {
  EXPECT_FLOAT_EQ(confidence_at(0.5, 1), 0.7F);
  EXPECT_FLOAT_EQ(confidence_at(0.9, 1), 0.7F);
  EXPECT_NEAR(confidence_at(1 - std::sqrt(0.001), 1), 0.8F, 1e-4);  // half-way in log(1 - recall)
  EXPECT_NEAR(confidence_at(0.9, 10), 0.75F, 1e-4);                 // half-way in log k
}

TEST(TunedConfidence, IsNotTakenWhereNobodyHasMeasuredIt) {
  EXPECT_EQ(confidence_at(0.9, 1, true), -1);  // of an index that has changed
  EXPECT_EQ(confidence_at(0.9, 101), -1);      // beyond the last k
  EXPECT_EQ(confidence_at(0.98, 100), -1);     // by the stop rule
}

TEST(TunedConfidence, SurvivesInAFile) {
  const Tuning read = read_tuning(write_tuning(ladders()));
  EXPECT_EQ(read.ladders[0].targets[1].confidence, 0.9F);
  EXPECT_EQ(read.ladders[1].targets[0].confidence, 0.8F);
}

TEST(TunedConfidence, TracesCountRowsBesidesEntries) {
  StopTrace trace;
  const std::vector<TopK::Answer> truth = {{1, 7}};
  TraceRecorder recorder(truth, 1, trace);
  recorder.check({2, 10, 0, {}, 3});
  recorder.check({8, 40, -4, {}, 9});
  const Traces traces({trace});
  EXPECT_EQ(traces.at_nprobe(8).rows, 9);
  EXPECT_DOUBLE_EQ(traces.at_nprobe(4).rows, 6);  // half-way in log nprobe
  EXPECT_EQ(traces.at_threshold(-3).rows, 9);
}

TEST(TunedConfidence, TracesEndWhereASearchBeginsAnew) {
  StopTrace trace;
  TraceRecorder recorder({}, 1, trace);
  for (const std::size_t lists : {1U, 2U, 3U, 1U, 2U, 3U, 4U}) {
    recorder.check({lists, 10, INFINITY, {}});
  }
  ASSERT_EQ(trace.size(), 3U);
  EXPECT_EQ(trace.back().lists, 3U);
}

class SearchAtATunedConfidence : public ::testing::Test {
 protected:
  SearchAtATunedConfidence() {
    Tuning tuning;
    tuning.queries = 500;
    tuning.ladders = {{10, 1, {{0.95F, -9, 20, false, 0.6F}}}};
    IndexAccess::set_tuning(index_, tuning);
  }
  /// Answers and rows refined.
  std::pair<std::vector<std::int64_t>, std::uint64_t> found(SearchOptions options) const {
    options.k = 10;
    std::vector<float> distances(10 * queries_.rows);
    std::vector<std::int64_t> ids(10 * queries_.rows);
    SearchCounters counters;
    IndexAccess::search(index_, queries_.view(), options, distances.data(), ids.data(), &counters);
    return {ids, counters.refined};
  }

  const Matrix<float> base_ = clustered(3000, 24, 51);
  const Matrix<float> queries_ = clustered(60, 24, 52);
  Index index_ = Index::build(base_.view(), {.nlist = 120, .tune = false});
};

TEST_F(SearchAtATunedConfidence, ATargetAndTheDefaultTakeIt) {
  const auto expected = found({.nprobe = 20, .confidence = 0.6F});
  EXPECT_LT(expected.second, found({.nprobe = 20}).second);
  EXPECT_EQ(found({.target_recall = 0.95}), expected);
  EXPECT_EQ(found({}), expected);
  EXPECT_EQ(found({}), expected);  // of the plan that is kept
}

TEST_F(SearchAtATunedConfidence, ThatOfTheCallerWins) {
  EXPECT_EQ(found({.confidence = 0.99F, .target_recall = 0.95}),
            found({.nprobe = 20, .confidence = 0.99F}));
  EXPECT_EQ(found({.confidence = 0.99F}), found({.nprobe = 20, .confidence = 0.99F}));
}

}  // namespace
}  // namespace obliq
