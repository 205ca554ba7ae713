// Range search on the command line.
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "datasets/dataset.h"
#include "datasets/range_truth.h"
#include "tests/tools/program.h"

namespace obliq::tools {
namespace {

using testing::HasSubstr;

/// An index of 1,000 vectors with their exact values, and queries.
class Ranges : public testing::Test {
 protected:
  Ranges() {
    must({"generate", "clustered", "--n", "1000", "--dim", "16", "--queries", "20", "-k", "1000",
          "-o", set_});
    must({"build", set_, "-o", index_, "--raw", "fp32", "--quantizer", "sq8"});
    truth_ = datasets::read_set(set_, datasets::ReadTrain::no).truth;
    const float* nearest = truth_.distances.row(0);
    radius_ = (nearest[19] + nearest[20]) / 2;  // stored distances are rounded
  }
  std::string radius() const { return fmt::format("{}", radius_); }
  std::size_t within(std::size_t query) const {
    const float* row = truth_.distances.row(query);
    return static_cast<std::size_t>(std::lower_bound(row, row + 1000, radius_) - row);
  }

  TemporaryFolder folder_;
  std::string set_ = folder_ / "set.hdf5";
  std::string index_ = folder_ / "index";
  datasets::GroundTruth truth_;
  float radius_ = 0;
};

TEST_F(Ranges, HoldExactlyTheVectorsNearerThanTheRadius) {
  const auto lines =
      json_lines(must({"range-search", index_, set_, "--radius", radius(), "--exact", "--json"}));
  ASSERT_EQ(lines.size(), 20);
  EXPECT_EQ(lines[0]["ids"].size(), 20);
  for (std::size_t q = 0; q < 20; ++q) {
    EXPECT_EQ(lines[q]["ids"].size(), within(q));
    EXPECT_EQ(lines[q]["cut"], false);
    for (std::size_t i = 0; i < within(q); ++i) {
      EXPECT_EQ(lines[q]["ids"][i], truth_.ids.row(q)[i]);
    }
  }
}

TEST_F(Ranges, AreCutAtTheMostThatAreWantedAndSaySo) {
  const auto lines = json_lines(must({"range-search", index_, set_, "--radius", radius(), "--exact",
                                      "--max-results", "3", "--limit", "1", "--json"}));
  ASSERT_EQ(lines.size(), 1);
  EXPECT_EQ(lines[0]["ids"].size(), 3);
  EXPECT_EQ(lines[0]["cut"], true);
  EXPECT_THAT(must({"range-search", index_, set_, "--radius", radius(), "--max-results", "3"}).out,
              HasSubstr("there are more"));
}

TEST_F(Ranges, WrittenToAFileAreTheTruthOfOthers) {
  const std::string truth = folder_ / "truth.hdf5";
  const auto told = json_lines(must(
      {"range-search", index_, set_, "--radius", radius(), "--exact", "-o", truth, "--json"}))[0];
  const datasets::RangeAnswers answers = datasets::read_range_truth(truth);
  EXPECT_EQ(told["results"], answers.ids.size());
  EXPECT_EQ(answers.queries(), 20);
  EXPECT_EQ(answers.lims[1], within(0));
  const auto point = [&](const std::string& at) {
    return json_lines(must({"eval", index_, set_, "--radius", at, "--truth", truth, "--exact",
                            "--repeat", "1", "--json"}))[0];
  };
  const auto all = point(radius());
  EXPECT_EQ(all["precision"], 1.0);
  EXPECT_EQ(all["recall"], 1.0);
  EXPECT_GT(all["average_precision"], .9);
  EXPECT_GT(all["qps"], 0);
  const auto fewer = point(fmt::format("{}", radius_ * .9));
  EXPECT_EQ(fewer["precision"], 1.0);
  EXPECT_LT(fewer["recall"], 1.0);
  EXPECT_LT(fewer["average_precision"], all["average_precision"]);
  EXPECT_TRUE(json_lines(must(
      {"eval", index_, set_, "--radius", "1", "--repeat", "1", "--json"}))[0]["recall"]
                  .is_null());
}

TEST_F(Ranges, RefuseWhatDoesNotFit) {
  const auto refusal = [](const std::vector<std::string>& arguments) {
    const Outcome outcome = run_obliq(arguments);
    EXPECT_EQ(outcome.exit_code, 2) << outcome.err;
    return outcome.err;
  };
  EXPECT_THAT(refusal({"range-search", index_, set_}), HasSubstr("--radius is required"));
  EXPECT_THAT(refusal({"range-search", index_, set_, "--radius", "1", "-o", folder_ / "a.npy"}),
              HasSubstr("its name must end in .hdf5"));
  EXPECT_THAT(refusal({"eval", index_, set_, "--radius", "1", "--target-recall", ".9"}),
              HasSubstr("excludes"));
  EXPECT_THAT(refusal({"eval", index_, set_, "--truth", set_}), HasSubstr("--radius"));
  EXPECT_THAT(refusal({"eval", index_, set_, "--radius", "1", "--truth", set_}),
              HasSubstr("dataset 'lims': is not in the file"));
}

}  // namespace
}  // namespace obliq::tools
