// What obliq bench --profile tells, through the real program. Times are not looked at but for what
// holds whatever they are.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "tests/tools/program.h"
#include "tools/measure/bandwidth.h"

namespace obliq::tools {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ProfileCommand : public testing::Test {
 protected:
  ProfileCommand() {
    must({"generate", "clustered", "--n", "1200", "--dim", "26", "--queries", "20", "--seed", "5",
          "--metric", "l2", "-o", set_});
  }

  TemporaryFolder folder_;
  std::string set_ = folder_ / "set.hdf5";
  std::string index_ = folder_ / "index.obliq";
};

using Stages = std::map<std::string, nlohmann::json>;

Stages stages_of(const nlohmann::json& point) {
  Stages stages;
  for (const auto& stage : point["stages"]) stages[stage["stage"]] = stage;
  return stages;
}

TEST_F(ProfileCommand, TellsEveryStageAndTheyAddUp) {
  const auto lines = json_lines(
      must({"bench", set_, "--profile", "--specs", "sq8,lm4", "--raw", "fp16", "--spill", ".5",
            "--nlist", "12", "--nprobe", "3", "--target-recall", ".9", "--repeat", "2", "--json"}));
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0]["method"], "obliq sq8+fp16, spill 0.5");
  EXPECT_EQ(lines[0]["nprobe"], 3);
  EXPECT_EQ(lines[3]["method"], "obliq lm4+fp16, spill 0.5");
  EXPECT_EQ(lines[3]["target_recall"], .9);
  for (const auto& line : lines) {
    std::vector<std::string> names;
    double sum = 0;
    for (const auto& stage : line["stages"]) {
      names.push_back(stage["stage"]);
      sum += stage["us"].get<double>();
      EXPECT_GE(stage["us"], 0) << stage;
    }
    EXPECT_THAT(names, ElementsAre("prepare", "signs", "ranks", "scan", "refine", "raw", "rest",
                                   "call", "clock"));
    const double total = line["us_with_clocks"];
    EXPECT_NEAR(sum, total, 1e-9 * total);
  }
}

TEST_F(ProfileCommand, BytesAreCountsTimesSizes) {
  must({"build", set_, "-o", index_, "--nlist", "12", "--quantizer", "sq8"});
  const auto lines = json_lines(must(
      {"bench", set_, "--profile", "--index", index_, "--nprobe", "3", "--repeat", "1", "--json"}));
  ASSERT_EQ(lines.size(), 1U);
  const Stages stages = stages_of(lines[0]);
  const std::map<std::string, double> sizes = {{"signs", (16 * 7 + 128) / 32.0},
                                               {"scan", (16 * 7 + 128) / 32.0},
                                               {"ranks", 26 + 16},
                                               {"refine", 26 + 2 * 2},
                                               {"raw", 0}};
  for (const auto& [name, size] : sizes) {
    const nlohmann::json& stage = stages.at(name);
    EXPECT_DOUBLE_EQ(stage["bytes"], stage["count"].get<double>() * size) << name;
    EXPECT_EQ(stage["bound_us"] > 0, stage["bytes"] > 0) << name;
  }
  EXPECT_EQ(stages.at("signs")["count"], 12);
  EXPECT_GE(stages.at("ranks")["count"], 3);
  EXPECT_GE(stages.at("refine")["count"], 10);
  const auto eval =
      json_lines(must({"eval", index_, set_, "--nprobe", "3", "--repeat", "1", "--json"})).at(0);
  EXPECT_EQ(stages.at("scan")["count"], eval["entries"]);
  EXPECT_EQ(lines[0]["recall"], eval["recall"]);
}

TEST_F(ProfileCommand, CountsThePointsOfGroupsAmongTheBytesOfSigns) {
  must({"build", set_, "-o", index_, "--nlist", "900", "--list-groups", "10"});
  const auto lines = json_lines(must({"bench", set_, "--profile", "--index", index_, "-k", "1",
                                      "--nprobe", "1", "--repeat", "1", "--json"}));
  const nlohmann::json signs = stages_of(lines.at(0)).at("signs");
  EXPECT_LT(signs["count"], 900);
  EXPECT_DOUBLE_EQ(signs["bytes"],
                   signs["count"].get<double>() * (16 * 7 + 128) / 32 + 10 * (28 + 24));
}

TEST_F(ProfileCommand, ShowsATableAndAimsAtThreeRecallsByItself) {
  const std::string out = must({"bench", set_, "--profile", "--specs", "sq8", "--nlist", "12",
                                "--queries", "5", "--repeat", "1"})
                              .out;
  for (const char* part : {"memory that one thread reads: 262.1 kB ", "for 0.9: recall@10 ",
                           "for 0.95", "for 0.99", "bound us", "refine", "total"}) {
    EXPECT_THAT(out, HasSubstr(part));
  }
}

TEST_F(ProfileCommand, RefusesWhatDoesNotFit) {
  const Outcome alone = run_obliq({"bench", set_, "--target-recall", ".9"});
  EXPECT_EQ(alone.exit_code, 2);
  EXPECT_THAT(alone.err, HasSubstr("--profile"));
  must({"build", set_, "-o", index_, "--metric", "ip"});
  const Outcome metric = run_obliq({"bench", set_, "--profile", "--index", index_});
  EXPECT_EQ(metric.exit_code, 2);
  EXPECT_THAT(metric.err, HasSubstr("built for ip"));
}

TEST(BandwidthFor, IsThatOfTheSmallestBufferThatHoldsTheBytes) {
  const std::vector<Bandwidth> ladder = {{100, 9}, {400, 5}};
  EXPECT_EQ(bandwidth_for(ladder, 1).gb_per_s, 9);
  EXPECT_EQ(bandwidth_for(ladder, 101).gb_per_s, 5);
  EXPECT_EQ(bandwidth_for(ladder, 1000).gb_per_s, 5);
}

}  // namespace
}  // namespace obliq::tools
