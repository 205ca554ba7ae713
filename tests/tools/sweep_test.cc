// The measuring loop and the curves drawn from its points, with a searcher that is not one.
#include "tools/measure/sweep.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "tools/measure/tradeoff.h"

namespace obliq::tools {
namespace {

using testing::DoubleNear;
using testing::HasSubstr;
using testing::Optional;

/// Answers query x with ids x, x + 1 ...; with nprobe 1 the last answer is missing.
class Counting final : public Searcher {
 public:
  std::string method() const override { return "counting"; }
  std::string simd() const override { return "scalar"; }
  double bytes_per_vector() const override { return 8; }
  void set_nprobe(std::size_t nprobe) override { nprobe_ = nprobe; }
  void search(MatrixView<float> queries, std::size_t k, int threads, float* distances,
              std::int64_t* ids, SearchCounters* counters) const override {
    ++calls;
    most_threads = std::max(most_threads.load(), threads);
    for (std::size_t i = 0; i < queries.rows * k; ++i) {
      const auto rank = i % k;
      ids[i] = static_cast<std::int64_t>(*queries.row(i / k)) + static_cast<std::int64_t>(rank);
      if (nprobe_ == 1 && rank + 1 == k) ids[i] = -1;
      distances[i] = static_cast<float>(rank);
    }
    if (counters != nullptr) {
      counters->lists += queries.rows * nprobe_;
      counters->entries += queries.rows * 10;
    }
  }

  mutable std::atomic<int> calls = 0;
  mutable std::atomic<int> most_threads = 0;

 private:
  std::size_t nprobe_ = 0;
};

class Sweep : public testing::Test {
 protected:
  Sweep() : queries_(4, 1), truth_{Matrix<std::int64_t>(4, 2), Matrix<float>(4, 2)} {
    for (std::size_t q = 0; q < 4; ++q) {
      *queries_.row(q) = static_cast<float>(q);
      for (std::size_t j = 0; j < 2; ++j) {
        truth_.ids.row(q)[j] = static_cast<std::int64_t>(q + j);
        truth_.distances.row(q)[j] = static_cast<float>(j);
      }
    }
  }

  std::vector<Point> run(const SweepOptions& options, const Progress& progress = {}) {
    const std::array contestants = {Contestant{&searcher_, {1, 2}}};
    return sweep(contestants, {queries_.view(), &truth_, Metric::l2}, options, progress);
  }

  Counting searcher_;
  Matrix<float> queries_;
  datasets::GroundTruth truth_;
};

TEST_F(Sweep, GivesAPointForEachNprobeWithItsRecall) {
  const auto points = run({2, Mode::single, 1, 3});
  ASSERT_EQ(points.size(), 2U);
  EXPECT_EQ(points[0].nprobe, 1U);
  EXPECT_DOUBLE_EQ(points[0].recall.strict, 0.5);
  EXPECT_DOUBLE_EQ(points[1].recall.strict, 1);
  EXPECT_LE(points[1].qps_min, points[1].qps);
  EXPECT_LE(points[1].qps, points[1].qps_max);
  EXPECT_GT(points[1].qps_min, 0);
  EXPECT_LE(points[1].p50_us, points[1].p99_us);
}

TEST_F(Sweep, TimesOneQueryACallInSingleMode) {
  run({2, Mode::single, 1, 3});
  EXPECT_EQ(searcher_.calls, 2 * (1 + 3 * 4));  // two points: an untimed pass, three rounds of four
  EXPECT_EQ(searcher_.most_threads, 1);
}

TEST_F(Sweep, MakesOneCallOfAllThreadsInBatchMode) {
  run({2, Mode::batch, 3, 5});
  EXPECT_EQ(searcher_.calls, 2 * (1 + 5));
  EXPECT_EQ(searcher_.most_threads, 3);
}

TEST_F(Sweep, ReportsLatenciesInSingleModeOnly) {
  EXPECT_TRUE(to_json(run({2, Mode::single, 1, 1})[0])["p50_us"].is_number());
  EXPECT_TRUE(to_json(run({2, Mode::batch, 1, 1})[0])["p99_us"].is_null());
}

TEST_F(Sweep, ReportsCountsAsMeansOverTheQueries) {
  const auto json = to_json(run({2, Mode::single, 1, 2})[1]);
  EXPECT_EQ(json["lists"], 2);
  EXPECT_EQ(json["entries"], 10);
  EXPECT_EQ(json["recall"], 1);
  EXPECT_EQ(json["repeat"], 2);
}

TEST_F(Sweep, StopsWhenTheProgressAsksTo) {
  const auto stop = [](std::string_view, double share) { return share < 0.5; };
  EXPECT_THROW(run({2, Mode::single, 1, 3}, stop), Cancelled);
}

TEST_F(Sweep, RefusesToMeasureNothing) {
  EXPECT_THROW(run({2, Mode::single, 1, 0}), std::invalid_argument);
  queries_ = Matrix<float>(0, 1);
  EXPECT_THROW(run({2, Mode::single, 1, 1}), std::invalid_argument);
}

Point point(const std::string& method, double recall, double qps) {
  Point result;
  result.method = method;
  result.recall.strict = recall;
  result.qps = qps;
  return result;
}

TEST(QpsAt, InterpolatesLogQpsBetweenNeighboursOnTheFront) {
  const std::array points = {point("m", 0.8, 1000), point("m", 1.0, 10), point("m", 0.7, 500)};
  EXPECT_THAT(qps_at(points, 0.9), Optional(DoubleNear(100, 1e-9)));
  EXPECT_THAT(qps_at(points, 0.5), Optional(1000.0));
  EXPECT_THAT(qps_at(points, 1.0), Optional(DoubleNear(10, 1e-9)));
}

TEST(QpsAt, HasNoneAboveTheHighestRecall) {
  const std::array points = {point("m", 0.8, 1000)};
  EXPECT_EQ(qps_at(points, 0.81), std::nullopt);
  EXPECT_EQ(qps_at({}, 0.5), std::nullopt);
}

// The same cases are given to bench/frontier.py, from which tables and charts are made.
TEST(QpsAt, GivesTheNumbersThatThePythonScriptsGive) {
  std::ifstream file(OBLIQ_SOURCE_DIR "/tests/bench/frontier_golden.json");
  const auto curves = nlohmann::json::parse(file);
  ASSERT_FALSE(curves.empty());
  for (const auto& curve : curves) {
    std::vector<Point> points;
    for (const auto& pair : curve["points"]) points.push_back(point("m", pair[0], pair[1]));
    for (const auto& expected : curve["qps_at"]) {
      const auto found = qps_at(points, expected[0]);
      SCOPED_TRACE(curve["what"].get<std::string>() + expected.dump());
      ASSERT_EQ(found.has_value(), !expected[1].is_null());
      if (found) {
        EXPECT_NEAR(*found, expected[1], 1e-9 * *found);
      }
    }
  }
}

TEST(TradeoffTable, HasALineForEachMethodAndMode) {
  std::array points = {point("one", 0.85, 1000), point("two", 0.95, 10), point("one", 0.99, 20)};
  const std::string table = tradeoff_table(points);
  EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 4);
  EXPECT_THAT(table, HasSubstr("one"));
  EXPECT_THAT(table, HasSubstr("0.9900"));
  points[2].options.mode = Mode::batch;
  const std::string apart = tradeoff_table(points);
  EXPECT_EQ(std::count(apart.begin(), apart.end(), '\n'), 5);
}

}  // namespace
}  // namespace obliq::tools
