// What a caller's Progress sees of parts that report as they like.
#include "core/stage_progress.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace obliq {
namespace {

using Steps = std::vector<std::pair<std::string, double>>;

TEST(StageProgress, StagesRiseAndEndAtOne) {
  Steps steps;
  StageProgress stages([&](std::string_view stage, double done) {
    steps.emplace_back(stage, done);
    return true;
  });
  const Progress inner = stages.callback();
  for (const double done : {0.0, 0.5, 0.25, 0.75}) report(inner, "a", done);
  report(inner, "b", 0);
  for (const double done : {0.0, 1.0}) report(inner, "c", done);
  report(inner, "d", 2);
  report(inner, "e", -1);
  stages.end();
  stages.end();
  EXPECT_EQ(steps, (Steps{{"a", 0},
                          {"a", .5},
                          {"a", .5},
                          {"a", .75},
                          {"a", 1},
                          {"b", 0},
                          {"b", 1},
                          {"c", 0},
                          {"c", 1},
                          {"d", 1},
                          {"e", 0},
                          {"e", 1}}));
}

TEST(StageProgress, EveryReportMayStop) {
  for (const std::pair<std::string, double>& last : Steps{{"a", 0}, {"a", 1}, {"b", 0}, {"b", 1}}) {
    StageProgress stages([&](std::string_view stage, double done) {
      return stage != last.first || done != last.second;
    });
    const auto run = [&] {
      report(stages.callback(), "a", 0);
      report(stages.callback(), "b", 0);
      stages.end();
    };
    EXPECT_THROW(run(), Cancelled) << last.first << last.second;
  }
}

TEST(StageProgress, NobodyNeedListen) {
  StageProgress stages({});
  EXPECT_FALSE(stages.callback());
  stages.end();
}

}  // namespace
}  // namespace obliq
