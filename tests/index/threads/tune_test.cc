// Threads that search one index while it is tuned. Built by Clang with ThreadSanitizer too (preset
// tsan), which reports what two threads touch without order even where the answers are right.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "tests/index/cases.h"

namespace obliq {
namespace {

using testing::clustered;

constexpr std::size_t kThreads = 8;
constexpr std::size_t kDim = 16;

Index tuned_index(const Matrix<float>& base, std::int64_t first_id) {
  BuildOptions build;
  build.quantizer = "lm4";
  build.raw = RawTier::fp16;
  build.spill = .25;
  build.nlist = 30;
  build.threads = 2;
  std::vector<std::int64_t> ids(base.rows);
  for (std::size_t i = 0; i < base.rows; ++i) ids[i] = first_id + static_cast<std::int64_t>(i);
  build.ids = {ids.data(), ids.size(), 1};
  return Index::build(base.view(), build);
}

/// What the search thread of this number asks for: every order of a batch, a fixed number of lists
/// and a target recall, alone and with threads of its own.
SearchOptions options_of(std::size_t thread) {
  constexpr BatchOrder kOrders[] = {BatchOrder::automatic, BatchOrder::query, BatchOrder::list};
  SearchOptions search;
  search.batch_order = kOrders[thread % 3];
  search.threads = thread % 4 == 3 ? 2 : 1;
  if (thread % 2 == 0) {
    search.nprobe = 10;
  } else {
    search.target_recall = .9;
  }
  return search;
}

TEST(SearchesWhileTuning, FindWhatTheyFindAlone) {
  const auto base = clustered(1500, kDim, 1);
  const auto queries = clustered(40, kDim, 2);
  Index index = tuned_index(base, 7000);
  std::vector<SearchResult> alone;
  for (std::size_t t = 0; t < kThreads; ++t) {
    alone.push_back(index.search(queries.view(), options_of(t)));
  }
  std::atomic<bool> tuned = false;
  std::atomic<std::size_t> wrong = 0;
  std::atomic<std::size_t> searches = 0;
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      const SearchOptions search = options_of(t);
      std::vector<float> row(kDim);
      do {
        const auto found = index.search(queries.view(), search);
        const bool fixed = search.target_recall == 0;  // tuning may change how many lists it takes
        if (fixed && found.ids.values != alone[t].ids.values) ++wrong;
        index.reconstruct(found.ids.row(0)[0], row.data());
        if (index.stats().tuning.queries == 0) ++wrong;
        ++searches;
      } while (!tuned);
    });
  }
  index.tune(queries.view(), {2, {}});
  index.tune({}, {2, {}});
  tuned = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0U);
  EXPECT_GE(searches, kThreads);
}

TEST(Searches, FromManyThreadsWithoutARawTierFindWhatOneFinds) {
  const auto base = clustered(1200, kDim, 3);
  const auto queries = clustered(24, kDim, 4);
  BuildOptions build;
  build.nlist = 20;
  build.threads = 4;
  const Index index = Index::build(base.view(), build);
  std::vector<SearchResult> alone;
  for (std::size_t t = 0; t < kThreads; ++t) {
    alone.push_back(index.search(queries.view(), options_of(t)));
  }
  std::vector<SearchResult> together(kThreads);
  std::vector<std::vector<float>> first(kThreads, std::vector<float>(kDim));
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      together[t] = index.search(queries.view(), options_of(t));
      index.reconstruct(5, first[t].data());  // the first one makes a table
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t t = 0; t < kThreads; ++t) {
    EXPECT_EQ(together[t].ids.values, alone[t].ids.values) << t;
    EXPECT_EQ(together[t].distances.values, alone[t].distances.values) << t;
    EXPECT_EQ(first[t], first[0]) << t;
  }
}

}  // namespace
}  // namespace obliq
