// Loops over threads: which pieces arrive, on which threads, and what becomes of exceptions.
#include "core/parallel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace obliq {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;

/// How often each item of [0, n) was handed out. Checks the pieces on the way.
std::vector<int> visits(std::size_t n, std::size_t grain, int threads) {
  std::vector<std::atomic<int>> counts(n);
  std::atomic<int> bad_pieces = 0;
  const int team = resolve_threads(threads);
  parallel_for(n, grain, threads, [&](std::size_t begin, std::size_t end, int thread) {
    const bool sound =
        begin < end && end <= n && end - begin <= grain && thread >= 0 && thread < team;
    if (!sound) {
      ++bad_pieces;
      return;
    }
    for (std::size_t i = begin; i < end; ++i) ++counts[i];
  });
  EXPECT_EQ(bad_pieces, 0);
  return {counts.begin(), counts.end()};
}

TEST(ParallelFor, HandsOutEveryItemOnce) {
  for (const std::size_t n : {0, 1, 2, 7, 64, 1000}) {
    for (const std::size_t grain : {1, 3, 64, 1000, 5000}) {
      for (const int threads : {0, 1, 2, 5}) {
        EXPECT_THAT(visits(n, grain, threads), Each(1))
            << "n " << n << ", grain " << grain << ", threads " << threads;
      }
    }
  }
}

TEST(ParallelFor, CallsNothingForNoItems) {
  int calls = 0;
  parallel_for(0, 8, 3, [&](std::size_t, std::size_t, int) { ++calls; });
  EXPECT_EQ(calls, 0);
}

TEST(ParallelFor, GivesAThreadItsOwnNumber) {
  constexpr int kThreads = 4;
  std::vector<std::atomic<int>> inside(kThreads);
  std::atomic<bool> shared = false;
  parallel_for(200, 1, kThreads, [&](std::size_t, std::size_t, int thread) {
    std::atomic<int>& mine = inside.at(static_cast<std::size_t>(thread));
    if (mine++ != 0) shared = true;
    std::this_thread::yield();
    --mine;
  });
  EXPECT_FALSE(shared) << "two pieces ran at once under one thread number";
}

TEST(ParallelFor, RunsOneThreadInTheCallersThread) {
  const std::thread::id caller = std::this_thread::get_id();
  parallel_for(10, 1, 1, [&](std::size_t, std::size_t, int thread) {
    EXPECT_EQ(std::this_thread::get_id(), caller);
    EXPECT_EQ(thread, 0);
  });
}

TEST(ParallelFor, ThrowsTheExceptionOfABodyInTheCallersThread) {
  for (const int threads : {1, 2, 4}) {
    try {
      parallel_for(100, 3, threads, [](std::size_t begin, std::size_t end, int) {
        if (begin <= 50 && 50 < end) throw std::out_of_range("item 50");
      });
      ADD_FAILURE() << "nothing was thrown with " << threads << " threads";
    } catch (const std::out_of_range& error) {
      EXPECT_STREQ(error.what(), "item 50");
    }
  }
}

TEST(ParallelFor, ThrowsOneExceptionWhenEveryBodyThrows) {
  for (const int threads : {1, 4}) {
    EXPECT_THROW(parallel_for(100, 1, threads,
                              [](std::size_t begin, std::size_t, int) {
                                throw std::runtime_error(std::to_string(begin));
                              }),
                 std::runtime_error);
  }
}

TEST(ParallelFor, RefusesNegativeThreads) {
  const auto nothing = [](std::size_t, std::size_t, int) {};
  EXPECT_THROW(parallel_for(10, 1, -1, nothing), std::invalid_argument);
  EXPECT_THROW(parallel_for(0, 1, -1, nothing), std::invalid_argument);
}

TEST(ResolveThreads, TakesTheNumberAskedForAndAllCoresForZero) {
  EXPECT_EQ(resolve_threads(1), 1);
  EXPECT_EQ(resolve_threads(17), 17);
  EXPECT_GE(resolve_threads(0), 1);
}

TEST(ResolveThreads, NamesTheNegativeNumberItRefuses) {
  try {
    resolve_threads(-3);
    ADD_FAILURE() << "-3 threads were accepted";
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), HasSubstr("-3"));
    EXPECT_THAT(error.what(), HasSubstr("threads"));
  }
}

}  // namespace
}  // namespace obliq
