// Average precision of range searches.
#include "tools/measure/average_precision.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace obliq::tools {
namespace {

using datasets::RangeAnswers;
using testing::HasSubstr;
using testing::ThrowsMessage;

/// 4 queries, whose answers and truth overlap in part; distances have ties.
RangeAnswers some_answers() {
  RangeAnswers found{{0}, {}, {}};
  for (int q = 0; q < 4; ++q) {
    for (int j = 0; j < 30; ++j) {
      if (j % 5 == q) continue;
      found.ids.push_back(j);
      found.distances.push_back(static_cast<float>((7 * j + 3 * q) % 31) / 8);
    }
    found.lims.push_back(found.ids.size());
  }
  return found;
}

RangeAnswers some_truth() {
  RangeAnswers truth{{0}, {}, {}};
  for (int q = 0; q < 4; ++q) {
    for (int j = q % 3; j < 24; j += 3) truth.ids.push_back(j);
    truth.lims.push_back(truth.ids.size());
  }
  return truth;
}

// The expected area is what compute_AP of big-ann-benchmarks gives for these arrays.
TEST(AveragePrecision, IsThatOfBigAnnBenchmarks) {
  const RangeQuality quality = range_quality(some_answers(), some_truth());
  EXPECT_NEAR(quality.average_precision, 0.40477920439598153, 1e-12);
  EXPECT_DOUBLE_EQ(quality.precision, 24.0 / 96);
  EXPECT_DOUBLE_EQ(quality.recall, 24.0 / 32);
}

TEST(AveragePrecision, IsOneLessTheFarthestAnswerWhereAllAreTrue) {
  const RangeAnswers truth{{0, 2, 4}, {5, 6, 7, 8}, {}};
  const RangeQuality quality = range_quality({{0, 2, 4}, {6, 5, 8, 7}, {0, 1, 2, 3}}, truth);
  EXPECT_NEAR(quality.average_precision, 3.0 / 4, 1e-12);
  EXPECT_EQ(quality.precision, 1);
  EXPECT_EQ(quality.recall, 1);
}

TEST(AveragePrecision, OfNegativeDistancesBeginsBelowTheLeast) {
  const RangeAnswers truth{{0, 4}, {5, 6, 7, 8}, {}};
  const RangeQuality quality = range_quality({{0, 4}, {6, 5, 8, 7}, {-9, -8, -7, -6}}, truth);
  EXPECT_NEAR(quality.average_precision, 3.0 / 4, 1e-12);
}

TEST(AveragePrecision, OfNothingIsZeroAndRecallOneWhereNothingIsTrue) {
  const RangeQuality none = range_quality({{0, 0}, {}, {}}, {{0, 1}, {3}, {}});
  EXPECT_EQ(none.average_precision, 0);
  EXPECT_EQ(none.recall, 0);
  EXPECT_EQ(range_quality({{0, 0}, {}, {}}, {{0, 0}, {}, {}}).recall, 1);
  const RangeQuality wrong = range_quality({{0, 1}, {3}, {1}}, {{0, 0}, {}, {}});
  EXPECT_EQ(wrong.precision, 0);
}

TEST(AveragePrecision, OfOtherQueriesIsRefused) {
  EXPECT_THAT(
      [] {
        range_quality({{0, 0}, {}, {}}, {{0, 0, 0}, {}, {}});
      },
      ThrowsMessage<std::invalid_argument>(
          HasSubstr("the truth is of 2 queries, 1 were searched")));
}

}  // namespace
}  // namespace obliq::tools
