// What searches count and time for profiles.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "index/index_access.h"
#include "tests/index/cases.h"

namespace obliq {
namespace {

using testing::clustered;

// A clock that counts how often it was read, so that times are exact.
std::uint64_t count_reads() {
  thread_local std::uint64_t reads = 0;
  return ++reads;
}

struct Searched {
  SearchResult result;
  SearchCounters counters;
};

Searched search(const Index& index, MatrixView<float> queries, const SearchOptions& options,
                std::uint64_t (*clock)()) {
  const std::size_t k = options.k;
  Searched searched{{Matrix<float>(queries.rows, k), Matrix<std::int64_t>(queries.rows, k)}, {}};
  searched.counters.times.clock = clock;
  IndexAccess::search(index, queries, options, searched.result.distances.row(0),
                      searched.result.ids.row(0), &searched.counters);
  return searched;
}

std::uint64_t laps(const SearchCounters& counters, Stage stage) {
  return counters.times.laps[static_cast<std::size_t>(stage)];
}

TEST(SearchCounters, EveryLapOfTheClockBelongsToAStage) {
  const auto base = clustered(3000, 24, 31);
  const Index index = Index::build(base.view(), {.nlist = 60, .raw = RawTier::fp16, .spill = 0.5});
  SearchOptions options;
  options.nprobe = 8;
  const auto [result, counters] = search(index, base.view().slice(0, 40), options, count_reads);
  for (std::size_t s = 0; s < kStages; ++s) {
    EXPECT_GE(counters.times.laps[s], 40U) << to_string(static_cast<Stage>(s));
    EXPECT_EQ(counters.times.ticks[s], counters.times.laps[s]);  // nothing between two reads
  }
  EXPECT_EQ(laps(counters, Stage::prepare), 40U);
  EXPECT_EQ(laps(counters, Stage::scan), counters.lists);  // none has more than a chunk
  EXPECT_EQ(laps(counters, Stage::raw), counters.exact);
}

TEST(SearchCounters, TakeNoTimesWithoutAClockAndTheAnswersAreTheSame) {
  const auto base = clustered(2000, 24, 32);
  const Index index = Index::build(base.view(), {.nlist = 40});
  const auto timed = search(index, base.view().slice(0, 20), {}, count_reads);
  const auto plain = search(index, base.view().slice(0, 20), {}, nullptr);
  EXPECT_EQ(timed.result.ids.values, plain.result.ids.values);
  EXPECT_EQ(timed.result.distances.values, plain.result.distances.values);
  EXPECT_THAT(plain.counters.times.ticks, ::testing::Each(0U));
  EXPECT_THAT(plain.counters.times.laps, ::testing::Each(0U));
  EXPECT_EQ(timed.counters.entries, plain.counters.entries);
}

TEST(SearchCounters, CountTheCentroidsThatTheRouterReads) {
  const auto base = clustered(3000, 24, 33);
  const Index plain = Index::build(base.view(), {.quantizer = "sq8", .nlist = 80, .tune = false});
  SearchOptions options;
  options.nprobe = 4;
  const auto some = search(plain, base.view().slice(0, 10), options, nullptr).counters;
  EXPECT_EQ(some.signs, 800U);
  EXPECT_GE(some.ranked, 10 * 4U);
  EXPECT_LT(some.ranked, 800U);
  EXPECT_EQ(some.primaries, 0U);
  options.nprobe = 80;
  const auto all = search(plain, base.view().slice(0, 10), options, nullptr).counters;
  EXPECT_EQ(all.signs, 0U);
  EXPECT_EQ(all.ranked, 800U);
}

}  // namespace
}  // namespace obliq
