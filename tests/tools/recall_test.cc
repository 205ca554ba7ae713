// Recall of answers against ground truth, strict and with ties.
#include "tools/measure/recall.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>
#include <vector>

namespace obliq::tools {
namespace {

using testing::HasSubstr;

Matrix<std::int64_t> ids(std::size_t rows, std::vector<std::int64_t> values) {
  Matrix<std::int64_t> matrix;
  matrix.rows = rows;
  matrix.cols = values.size() / rows;
  matrix.values = std::move(values);
  return matrix;
}

datasets::GroundTruth truth(std::size_t rows, std::vector<std::int64_t> id_values,
                            std::vector<float> distances) {
  datasets::GroundTruth result{ids(rows, std::move(id_values)), {}};
  result.distances.rows = rows;
  result.distances.cols = distances.size() / rows;
  result.distances.values = std::move(distances);
  return result;
}

TEST(RecallAt, IsTheShareOfTrueNeighboursFoundInAnyOrder) {
  const auto right = truth(2, {0, 1, 2, 3, 4, 5}, {1, 2, 3, 1, 2, 3});
  const auto found = ids(2, {1, 0, 9, 8, 4, 7});
  const Recall recall = recall_at(found.view(), right);
  EXPECT_DOUBLE_EQ(recall.strict, 3.0 / 6);
  EXPECT_DOUBLE_EQ(recall.ties, 3.0 / 6);
}

TEST(RecallAt, CountsANeighbourBehindTheKthAtItsDistanceAsATie) {
  const auto right = truth(1, {0, 1, 2, 3}, {1, 2, 2, 2.1F});
  const auto tied = ids(1, {0, 2});
  const auto farther = ids(1, {0, 3});
  EXPECT_DOUBLE_EQ(recall_at(tied.view(), right).strict, 0.5);
  EXPECT_DOUBLE_EQ(recall_at(tied.view(), right).ties, 1);
  EXPECT_DOUBLE_EQ(recall_at(farther.view(), right).ties, 0.5);
}

TEST(RecallAt, MeasuresTiesByTheSizeOfTheDistance) {
  const auto found = ids(1, {1});
  for (const float size : {1e-20F, 1e-4F, 1.0F, 1e20F}) {
    const auto near = truth(1, {0, 1}, {size, size * (1 + 5e-7F)});
    const auto farther = truth(1, {0, 1}, {size, size * (1 + 5e-6F)});
    EXPECT_DOUBLE_EQ(recall_at(found.view(), near).ties, 1) << size;
    EXPECT_DOUBLE_EQ(recall_at(found.view(), farther).ties, 0) << size;
  }
}

TEST(RecallAt, CountsAnIdThatTheTruthHoldsTwiceOnce) {
  const auto right = truth(1, {7, 7, 8, 9, 7}, {1, 1, 2, 2, 2});
  const auto one = ids(1, {7, 5, 6});
  EXPECT_DOUBLE_EQ(recall_at(one.view(), right).strict, 0.5);
  EXPECT_DOUBLE_EQ(recall_at(one.view(), right).ties, 0.5);
  const auto all = ids(1, {8, 7, 6});
  EXPECT_DOUBLE_EQ(recall_at(all.view(), right).strict, 1);
}

TEST(RecallAt, CountsAnIdThatComesTwiceOnce) {
  const auto right = truth(1, {0, 1}, {1, 2});
  const auto found = ids(1, {0, 0});
  EXPECT_DOUBLE_EQ(recall_at(found.view(), right).strict, 0.5);
}

TEST(RecallAt, IsAShareOfTheNeighboursThereAreWhenKIsAboveN) {
  constexpr float kFar = std::numeric_limits<float>::infinity();
  const auto right = truth(1, {0, 1, -1}, {1, 2, kFar});
  const auto found = ids(1, {1, 0, -1});
  EXPECT_DOUBLE_EQ(recall_at(found.view(), right).strict, 1);
  EXPECT_DOUBLE_EQ(recall_at(found.view(), right).ties, 1);
}

TEST(RecallAt, WorksWithoutTrueDistances) {
  const datasets::GroundTruth right{ids(1, {0, 1, 2}), {}};
  const auto found = ids(1, {0, 2});
  EXPECT_DOUBLE_EQ(recall_at(found.view(), right).ties, 0.5);
}

TEST(RecallAt, RefusesATruthThatIsTooShort) {
  const auto right = truth(1, {0, 1}, {1, 2});
  const auto found = ids(1, {0, 1, 2});
  try {
    recall_at(found.view(), right);
    FAIL() << "accepted";
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), HasSubstr("holds 2 neighbours per query, fewer than k = 3"));
  }
  const auto two_queries = ids(2, {0, 1, 0, 1});
  EXPECT_THROW(recall_at(two_queries.view(), right), std::invalid_argument);
}

}  // namespace
}  // namespace obliq::tools
