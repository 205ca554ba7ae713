// Threads that meet at random moments: short rounds, other ones each time, that ./dev test --long
// repeats for minutes under AddressSanitizer and ThreadSanitizer. A failure names its seed.
#include <gtest/gtest.h>

#include <atomic>
#include <new>
#include <random>
#include <thread>
#include <vector>

#include "storage/temporary_folder.h"
#include "tests/index/cases.h"
#include "tests/index/threads/failing_new.h"

namespace obliq {
namespace {

using testing::clustered;

constexpr std::size_t kDim = 16;

class Repeated : public ::testing::Test {
 protected:
  Repeated() : seed_(std::random_device()()), random_(seed_) {
    build_.nlist = 12;
    build_.threads = 2;
    build_.kmeans_iterations = 2;
    build_.raw = RawTier::fp16;
  }
  std::size_t below(std::size_t end) { return random_() % end; }

  unsigned seed_;
  std::mt19937 random_;
  BuildOptions build_;
  ::testing::ScopedTrace trace_{__FILE__, __LINE__, "seed " + std::to_string(seed_)};
};

TEST_F(Repeated, SearchesBesideCopiesAndTheirTuningFindTheSame) {
  const auto base = clustered(400 + below(400), kDim, seed_);
  const auto queries = clustered(20, kDim, seed_ + 1);
  const Index index = Index::build(base.view(), build_);
  SearchOptions search;
  search.nprobe = 1 + below(12);
  search.batch_order = below(2) == 0 ? BatchOrder::list : BatchOrder::query;
  const SearchResult alone = index.search(queries.view(), search);
  std::atomic<std::size_t> wrong = 0;
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t, own = search]() mutable {
      own.threads = 1 + static_cast<int>(t % 2);
      for (int round = 0; round < 3; ++round) {
        Index copy = index.copy();
        if (t == 0) copy.tune(queries.view(), {2, {}});
        const Index& searched = (static_cast<int>(t) + round) % 2 == 0 ? index : copy;
        if (searched.search(queries.view(), own).ids.values != alone.ids.values) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0U);
}

TEST_F(Repeated, OpenersFindOneOfTheFilesThatWritersSave) {
  const TemporaryFolder folder;
  const std::string path = folder / "a.obliq";
  const std::vector<std::size_t> sizes = {200 + below(100), 400 + below(100)};
  std::vector<Index> saved;
  for (const std::size_t n : sizes) {
    saved.push_back(Index::build(clustered(n, kDim, seed_).view(), build_));
  }
  saved[0].save(path);
  std::atomic<std::size_t> writers = 2;
  std::atomic<std::size_t> wrong = 0;
  std::vector<std::thread> threads;
  for (const Index& index : saved) {
    threads.emplace_back([&] {
      for (int round = 0; round < 6; ++round) index.save(path);
      --writers;
    });
  }
  for (std::size_t t = 0; t < 2; ++t) {
    threads.emplace_back([&] {
      const auto query = clustered(1, kDim, 5);
      do {
        OpenOptions options;
        options.verify = true;
        const Index index = Index::open(path, options);
        const std::size_t n = index.stats().n;
        if (n != sizes[0] && n != sizes[1]) ++wrong;
        const SearchResult found = index.search(query.view());
        if (found.ids.values[0] < 0 || found.ids.values[0] >= static_cast<std::int64_t>(n)) ++wrong;
      } while (writers > 0);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0U);
}

TEST_F(Repeated, CallsStopAtAnyReportAndLeaveTheIndexAsItWas) {
  const auto base = clustered(500, kDim, seed_);
  const auto queries = clustered(20, kDim, seed_ + 1);
  Index index = Index::build(base.view(), build_);
  SearchOptions search;
  search.target_recall = .9;
  const SearchResult before = index.search(queries.view(), search);
  for (int round = 0; round < 4; ++round) {
    std::atomic<std::size_t> left = below(12);
    const Progress stop_at = [&](std::string_view, double) {
      const std::size_t now = left;
      if (now > 0) left = now - 1;
      return now > 0;
    };
    build_.progress = stop_at;
    bool stopped = false;
    try {
      if (round % 2 == 0) {
        Index::build(base.view(), build_);
      } else {
        index.tune(queries.view(), {2, stop_at});
      }
    } catch (const Cancelled&) {
      stopped = true;
    }
    if (round % 2 == 0 || !stopped) continue;
    EXPECT_EQ(index.search(queries.view(), search).ids.values, before.ids.values);
  }
}

TEST_F(Repeated, AllocationsThatFailAreErrorsAndTheNextCallSucceeds) {
  if (!testing::allocations_can_fail) GTEST_SKIP() << "ThreadSanitizer has its own operator new";
  const auto base = clustered(400, kDim, seed_);
  const auto queries = clustered(40, kDim, seed_ + 1);
  const Index index = Index::build(base.view(), build_);
  SearchOptions search;
  search.threads = 2;
  const SearchResult right = index.search(queries.view(), search);
  const TemporaryFolder folder;
  const std::string path = folder / "a.obliq";
  index.save(path);
  const auto with_failure = [&](std::size_t most, const auto& call) {
    testing::failing_allocation = static_cast<long>(1 + below(most));
    try {
      call();
    } catch (const std::bad_alloc&) {
    }
    testing::failing_allocation = 0;
  };
  for (int round = 0; round < 3; ++round) {
    with_failure(60, [&] { index.search(queries.view(), search); });
    with_failure(200, [&] { Index::open(path); });
    with_failure(100, [&] { index.save(path); });
    with_failure(3000, [&] { Index::build(base.view(), build_); });
    with_failure(50, [&] { index.copy(); });
    EXPECT_EQ(index.search(queries.view(), search).ids.values, right.ids.values);
    EXPECT_EQ(Index::open(path, {}).search(queries.view(), search).ids.values, right.ids.values);
  }
}

}  // namespace
}  // namespace obliq
