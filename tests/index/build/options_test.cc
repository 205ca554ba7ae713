// What a build makes of options that are left out, and of ids that searches could not tell apart.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include "obliq/index.h"
#include "tests/index/cases.h"

namespace obliq {
namespace {

using ::testing::AllOf;
using testing::clustered;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(ChooseCodes, TakesWhatIsGivenBeforeThePreset) {
  const auto is = [](const Preset& codes, std::string_view quantizer, RawTier raw, double spill) {
    EXPECT_EQ(codes.quantizer, quantizer);
    EXPECT_EQ(codes.raw, raw);
    EXPECT_EQ(codes.spill, spill);
  };
  is(choose_codes({}, {}, {}, {}), "sq8", RawTier::none, 0.5);
  is(choose_codes("exact", {}, {}, {}), "sq8", RawTier::fp32, 0.5);
  is(choose_codes({}, "sq8", {}, {}), "sq8", RawTier::none, 0);
  is(choose_codes("exact", "lm4", {}, {}), "lm4", RawTier::fp32, 0.5);
  is(choose_codes("exact", {}, RawTier::none, 0), "sq8", RawTier::none, 0);
  is(choose_codes({}, {}, RawTier::fp16, {}), "sq8", RawTier::fp16, 0.5);
  is(choose_codes({}, "lm2", {}, 1), "lm2", RawTier::none, 1);
  EXPECT_THAT(
      [] { choose_codes("best", "sq8", {}, {}); },
      ThrowsMessage<std::invalid_argument>(HasSubstr("unknown preset 'best'; valid: fast")));
}

TEST(Build, OfNothingNamedIsTheFirstPresetAndANamedQuantizerIsNotSpilled) {
  const auto base = clustered(400, 8, 51);
  const auto built = [&](const BuildOptions& options) {
    return Index::build(base.view(), options).stats();
  };
  EXPECT_EQ(built({}).quantizer, presets().front().quantizer);
  EXPECT_NEAR(built({}).spill, presets().front().spill, .05);  // a quantile of the sample
  EXPECT_EQ(built({.spill = 0}).spill, 0);
  EXPECT_EQ(built({.quantizer = "sq8"}).spill, 0);
  EXPECT_NEAR(built({.quantizer = "lm4", .spill = .25}).spill, .25, .05);
}

class Ids : public ::testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove(path_); }
  void build(std::vector<std::int64_t> ids, bool into_file = false) {
    BuildOptions options;
    options.ids = {ids.data(), ids.size(), 1};
    if (into_file) {
      Index::build_file(MatrixSource(base_.view()), path_, options);
    } else {
      (void)Index::build(base_.view(), options);
    }
  }
  const Matrix<float> base_ = clustered(300, 6, 52);
  const std::string path_ =
      std::filesystem::temp_directory_path() / ("obliq_ids_" + std::to_string(getpid()));
  std::vector<std::int64_t> falling_ = [] {
    std::vector<std::int64_t> ids(300);
    std::iota(ids.rbegin(), ids.rend(), 1000);
    return ids;
  }();
};

TEST_F(Ids, ThatComeTwiceAreRefusedWithBothRows) {
  for (const bool into_file : {false, true}) {
    auto ids = falling_;
    ids[17] = ids[251] = -40;
    EXPECT_THAT([&] { build(ids, into_file); },
                ThrowsMessage<std::invalid_argument>(
                    AllOf(HasSubstr("rows 17 and 251"), HasSubstr("id -40"))));
    EXPECT_FALSE(std::filesystem::exists(path_));
  }
  std::vector<std::int64_t> rising(300);
  std::iota(rising.begin(), rising.end(), 0);
  rising[299] = 298;
  EXPECT_THAT([&] { build(rising); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("rows 298 and 299")));
}

TEST_F(Ids, OfMinusOneAreRefusedWithTheirRow) {
  for (const bool into_file : {false, true}) {
    auto ids = falling_;
    ids[299] = -1;
    EXPECT_THAT([&] { build(ids, into_file); }, ThrowsMessage<std::invalid_argument>(AllOf(
                                                    HasSubstr("row 299"), HasSubstr("id -1"))));
  }
}

TEST_F(Ids, OfAnyOtherNumberInAnyOrderAreTaken) {
  auto ids = falling_;
  ids[0] = -2;
  ids[150] = std::numeric_limits<std::int64_t>::min();
  ids[299] = std::numeric_limits<std::int64_t>::max();
  BuildOptions options;
  options.ids = {ids.data(), ids.size(), 1};
  const Index index = Index::build(base_.view(), options);
  for (const std::int64_t id : ids) EXPECT_TRUE(index.contains(id)) << id;
  EXPECT_EQ(index.search(base_.view().slice(0, 1), {.k = 1}).ids.values[0], -2);
}

}  // namespace
}  // namespace obliq
