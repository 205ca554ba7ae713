// Ladders from traces made by hand: every query has the same recall, so a target is met by the mean
// alone.
#include "index/tune/target_ladder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include "obliq/index.h"

namespace obliq {
namespace {

const float kUsual = SearchOptions{}.confidence;

/// A check for each recall, after 1, 2, ... lists of 100 entries, with `rows` refined in each.
Traced traced(float confidence, const std::vector<float>& recalls, std::uint64_t rows) {
  StopTrace trace;
  for (const float recall : recalls) {
    const auto lists = static_cast<std::uint32_t>(trace.size() + 1);
    trace.push_back({INFINITY, recall, lists, 100 * lists, rows * lists});
  }
  return {confidence, recalls.size(), Traces({trace, trace})};
}

const TunedTarget& target_of(const TunedLadder& ladder, float recall) {
  for (const TunedTarget& target : ladder.targets) {
    if (target.recall == recall) return target;
  }
  throw std::out_of_range("no such target");
}

TEST(TargetLadder, LowersTheConfidenceUntilTheTargetIsJustMet) {
  const std::vector<Traced> all = {traced(kUsual, {0.7F, 0.95F, 1}, 40),
                                   traced(0.8F, {0.6F, 0.94F, 0.98F}, 20),
                                   traced(0.6F, {0.5F, 0.86F, 0.9F}, 10)};
  const TunedLadder ladder = make_ladder(all, {10, 1});
  const TunedTarget& half_way = target_of(ladder, 0.9F);
  EXPECT_EQ(half_way.nprobe, 2U);
  EXPECT_NEAR(half_way.confidence, 0.7F, 0.01);
  EXPECT_GE(half_way.confidence, 0.7F);
  EXPECT_FALSE(half_way.uses_stop_rule);
  const TunedTarget& passed = target_of(ladder, 0.8F);  // what nothing lower was traced for
  EXPECT_EQ(passed.nprobe, 2U);
  EXPECT_EQ(passed.confidence, 0.6F);
  EXPECT_EQ(target_of(ladder, 0.995F).nprobe, 3U);
  EXPECT_GT(target_of(ladder, 0.995F).confidence, 0.8F);
}

TEST(TargetLadder, TakesMoreListsAtALowConfidenceWhereThatIsLessWork) {
  const auto nprobe = [](std::uint64_t rows) {
    const std::vector<Traced> all = {traced(kUsual, {0.7F, 0.9F, 0.9F}, rows),
                                     traced(0.8F, {0.6F, 0.7F, 0.9F}, rows / 4)};
    return target_of(make_ladder(all, {10, 1}), 0.9F).nprobe;
  };
  EXPECT_EQ(nprobe(40), 3U);
  EXPECT_EQ(nprobe(0), 2U);
}

TEST(TargetLadder, LeavesTheConfidenceWhereTooFewListsWereTraced) {
  const std::vector<Traced> all = {traced(kUsual, {0.7F, 0.75F, 0.95F}, 40),
                                   traced(0.8F, {0.6F, 0.7F}, 20)};
  const TunedTarget target = target_of(make_ladder(all, {10, 1}), 0.9F);
  EXPECT_EQ(target.nprobe, 3U);
  EXPECT_EQ(target.confidence, kUsual);
}

TEST(TargetLadder, NprobeDoesNotFallFromOneTargetToTheNext) {
  const std::vector<Traced> all = {traced(kUsual, {0.7F, 0.79F, 0.82F, 0.91F, 1}, 400),
                                   traced(0.8F, {0.3F, 0.4F, 0.5F, 0.85F, 0.851F}, 1)};
  const TunedLadder ladder = make_ladder(all, {10, 1});
  EXPECT_EQ(target_of(ladder, 0.8F).nprobe, 4U);
  for (std::size_t i = 1; i < ladder.targets.size(); ++i) {
    EXPECT_GE(ladder.targets[i].nprobe, ladder.targets[i - 1].nprobe);
  }
}

TEST(TargetLadder, CountsWhatTheCodesLose) {
  const std::vector<Traced> all = {traced(kUsual, {0.91F, 1}, 1)};
  EXPECT_EQ(target_of(make_ladder(all, {10, 1}), 0.9F).nprobe, 1U);
  const TunedLadder lossy = make_ladder(all, {10, 0.95});
  EXPECT_EQ(target_of(lossy, 0.9F).nprobe, 2U);
  EXPECT_FLOAT_EQ(lossy.max_recall, 0.95F);
}

}  // namespace
}  // namespace obliq
