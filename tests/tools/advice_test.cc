// What obliq advise computes from a study, and the command on a small set.
#include "tools/measure/advice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tools/program.h"
#include "tools/measure/sample.h"

namespace obliq::tools {
namespace {

using testing::HasSubstr;

TEST(Grown, FollowsThePowerLawOfBothSizes) {
  EXPECT_DOUBLE_EQ(grown(100, 200, 4), 400);    // n^.5
  EXPECT_DOUBLE_EQ(grown(100, 400, 10), 4000);  // n
  EXPECT_DOUBLE_EQ(grown(100, 100, 50), 100);
}

TEST(Grown, GrowsNoFasterThanTheSetAndNeverShrinks) {
  EXPECT_DOUBLE_EQ(grown(10, 200, 4), 800);
  EXPECT_DOUBLE_EQ(grown(100, 90, 4), 90);
  EXPECT_DOUBLE_EQ(grown(0, 5, 4), 5);
}

Proposal proposal(std::size_t bytes, double qps, bool fits = true) {
  Proposal proposal;
  proposal.size.file_bytes = bytes;
  proposal.qps = qps;
  proposal.fits = fits;
  proposal.reaches = qps > 0;
  return proposal;
}

TEST(Recommended, IsTheSmallestOfThoseThatAreAboutAsFastAsTheFastestThatFits) {
  const std::vector<Proposal> all = {proposal(900, 2000, false), proposal(500, 1000),
                                     proposal(300, 950), proposal(100, 800), proposal(50, 0)};
  EXPECT_EQ(recommended(all), &all[2]);
  EXPECT_EQ(smallest(all), &all[3]);
  const std::vector<Proposal> none = {proposal(900, 2000, false), proposal(50, 0)};
  EXPECT_EQ(recommended(none), nullptr);
  EXPECT_EQ(smallest(none), &none[0]);
}

TEST(PresetOf, NamesTheIndexOfAPresetAndNoOther) {
  for (const Preset& preset : presets()) {
    IndexShape shape;
    shape.quantizer = preset.quantizer;
    shape.raw = preset.raw;
    shape.spill = preset.spill;
    EXPECT_EQ(preset_of(shape), preset.name);
    shape.spill = 0.25;
    EXPECT_EQ(preset_of(shape), "");
  }
}

class AdviseCommand : public testing::Test {
 protected:
  AdviseCommand() {
    must({"generate", "clustered", "--n", "9000", "--dim", "16", "--queries", "60", "--seed", "3",
          "--metric", "l2", "-o", set_});
  }

  TemporaryFolder folder_;
  std::string set_ = folder_ / "set.hdf5";
  std::string index_ = folder_ / "index.obliq";
};

TEST_F(AdviseCommand, ProposesAnIndexThatFitsAndChecksItAgainstTheTruth) {
  const auto lines = json_lines(must(
      {"advise", set_, "--memory", "1MB", "--target-recall", ".9", "--json", "--check", index_}));
  ASSERT_EQ(lines.size(), 28U);  // nine codes, three shares of spilling, the check
  std::size_t chosen = 0;
  for (const auto& line : lines) {
    if (!line.value("recommended", false)) continue;
    ++chosen;
    EXPECT_LE(line["file_bytes"], 1'000'000);
    EXPECT_GE(line["ceiling"], .9);
    EXPECT_GT(line["qps"], 0);
    EXPECT_THAT(line["command"].get<std::string>(), HasSubstr("obliq build " + set_));
  }
  EXPECT_EQ(chosen, 1U);
  // The sample is the whole set, with the same lists: what is left is that rows come in
  // another order, and recall of 60 queries with a standard deviation of about .15 each: 3 * .15 /
  // sqrt(60).
  const auto& check = lines.back();
  const double bytes = check["file_bytes"]["true"];
  EXPECT_NEAR(check["file_bytes"]["predicted"], bytes, .01 * bytes);
  EXPECT_NEAR(check["recall"]["predicted"], check["recall"]["true"].get<double>(), .06);
  EXPECT_EQ(bytes, json_lines(must({"info", index_, "--json"})).at(0)["file_bytes"]);
}

TEST_F(AdviseCommand, SaysWhatItWouldTakeWhenNothingFits) {
  const Outcome outcome = run_obliq({"advise", set_, "--memory", "50kB", "--target-recall", ".9"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("in 50.0 kB: that needs at least "));
}

TEST_F(AdviseCommand, RefusesSetsThatAreTooSmallAndQueriesOfAnotherDim) {
  const std::string tiny = folder_ / "tiny.fvecs";
  must({"generate", "gaussian", "--n", "100", "--dim", "8", "--queries", "9", "-o",
        folder_ / "t.hdf5"});
  must({"convert", folder_ / "t.hdf5", "-o", tiny});
  const Outcome small = run_obliq({"advise", tiny});
  EXPECT_EQ(small.exit_code, 2);
  EXPECT_THAT(small.err, HasSubstr("8000 vectors or more"));
  const Outcome dim = run_obliq({"advise", set_, "--queries", tiny});
  EXPECT_EQ(dim.exit_code, 2);
  EXPECT_THAT(dim.err, HasSubstr("has dim 8, the base has 16"));
  EXPECT_EQ(run_obliq({"advise", set_, "--memory", "much"}).exit_code, 2);
}

TEST(DrawSample, LeavesQueriesOutOfTheBaseWhenTheSetHasNone) {
  Matrix<float> base(9000, 1);
  for (std::size_t i = 0; i < base.rows; ++i) *base.row(i) = static_cast<float>(i);
  const Sample sample = draw_sample(MatrixSource(base.view()), "set.npy", {}, {8000, 100, 1});
  EXPECT_EQ(sample.base.rows, 8000U);
  EXPECT_EQ(sample.queries.rows, 100U);
  std::vector<float> all = sample.base.values;
  all.insert(all.end(), sample.queries.values.begin(), sample.queries.values.end());
  std::sort(all.begin(), all.end());
  EXPECT_EQ(std::adjacent_find(all.begin(), all.end()), all.end());  // nothing drawn twice
  EXPECT_FALSE(std::is_sorted(sample.base.values.begin(), sample.base.values.end()));
}

}  // namespace
}  // namespace obliq::tools
