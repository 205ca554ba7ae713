// Threads that the system refuses to make, and too many of them. The function that makes threads is
// replaced in this program: a definition of ours goes before the library's.
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <cerrno>
#include <limits>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "core/parallel.h"

namespace {

constexpr int kNoLimit = std::numeric_limits<int>::max();
std::atomic<int> most_alive = kNoLimit;  // of the threads counted below
std::atomic<int> alive = 0;              // threads made while there was a limit

struct Start {
  void* (*start)(void*);
  void* argument;
};

void* count_and_start(void* given) {
  struct Leaving {  // also by pthread_exit, which unwinds
    ~Leaving() { --alive; }
  } leaving;
  const auto own = std::unique_ptr<Start>(static_cast<Start*>(given));
  return own->start(own->argument);
}

}  // namespace

extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* attributes,
                              void* (*start)(void*), void* argument) noexcept {
  using Create = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  static const auto create = reinterpret_cast<Create>(::dlsym(RTLD_NEXT, "pthread_create"));
  if (most_alive == kNoLimit) return create(thread, attributes, start, argument);
  if (++alive > most_alive) {
    --alive;
    return EAGAIN;
  }
  auto own = std::make_unique<Start>(Start{start, argument});
  const int failed = create(thread, attributes, count_and_start, own.get());
  if (failed != 0) {
    --alive;
  } else {
    static_cast<void>(own.release());  // the thread deletes it
  }
  return failed;
}

namespace obliq {
namespace {

using ::testing::Each;

/// Runs in a new thread, which has no team yet.
template <class Job>
void in_new_thread(const Job& job, int can_be_made = kNoLimit) {
  std::thread([&] {
    most_alive = can_be_made;
    job();
    most_alive = kNoLimit;
  }).join();
  while (alive > 0) std::this_thread::yield();  // a team ends after its maker
}

/// The threads that took part in a loop whose pieces are long enough for all to come.
std::size_t threads_of_loop(int threads, std::vector<int>& visits) {
  std::mutex adding;
  std::set<std::thread::id> seen;
  std::vector<std::atomic<int>> counts(visits.size());
  parallel_for(visits.size(), 1, threads, [&](std::size_t begin, std::size_t, int) {
    ++counts[begin];
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const std::lock_guard lock(adding);
    seen.insert(std::this_thread::get_id());
  });
  visits.assign(counts.begin(), counts.end());
  return seen.size();
}

TEST(TeamSize, GoesOnWithTheThreadsThatCanBeMade) {
  for (const int can_be_made : {0, 1, 2}) {
    std::vector<int> visits(300);
    std::size_t took_part = 0;
    in_new_thread([&] { took_part = threads_of_loop(8, visits); }, can_be_made);
    EXPECT_THAT(visits, Each(1)) << can_be_made;
    EXPECT_EQ(took_part, static_cast<std::size_t>(can_be_made) + 1);
  }
}

TEST(TeamSize, GrowsAgainOnceThreadsCanBeMade) {
  in_new_thread([] {
    std::vector<int> visits(300);
    most_alive = 0;
    EXPECT_EQ(threads_of_loop(3, visits), 1U);
    most_alive = kNoLimit;
    EXPECT_EQ(threads_of_loop(3, visits), 3U);
    EXPECT_EQ(threads_of_loop(2, visits), 2U);
    EXPECT_THAT(visits, Each(1));
  });
}

TEST(TeamSize, IsBoundedWhateverIsAskedFor) {
  EXPECT_EQ(resolve_threads(kMostThreads), kMostThreads);
  EXPECT_EQ(resolve_threads(kMostThreads + 1), kMostThreads);
  EXPECT_EQ(resolve_threads(std::numeric_limits<int>::max()), kMostThreads);
  in_new_thread([] {
    std::atomic<std::size_t> made = 0;
    std::atomic<int> highest = 0;
    parallel_for(5000, 1, std::numeric_limits<int>::max(),
                 [&](std::size_t, std::size_t, int thread) {
                   ++made;
                   for (int old = highest; thread > old;) {
                     if (highest.compare_exchange_weak(old, thread)) break;
                   }
                 });
    EXPECT_EQ(made, 5000U);
    EXPECT_LT(highest, kMostThreads);
  });
}

TEST(TeamSize, WorksAloneInsideABody) {
  std::atomic<int> inner = 0;
  parallel_for(8, 1, 4, [&](std::size_t, std::size_t, int) {
    const std::thread::id outer = std::this_thread::get_id();
    parallel_for(10, 1, 4, [&](std::size_t, std::size_t, int thread) {
      if (thread == 0 && std::this_thread::get_id() == outer) ++inner;
    });
  });
  EXPECT_EQ(inner, 80);
}

TEST(TeamSize, ServesCallsOfManyThreadsAtOnce) {
  std::vector<std::thread> callers;
  std::atomic<std::size_t> sum = 0;
  for (int c = 0; c < 4; ++c) {
    callers.emplace_back([&] {
      for (int call = 0; call < 200; ++call) {
        parallel_for(50, 3, 3,
                     [&](std::size_t begin, std::size_t end, int) { sum += end - begin; });
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(sum, 4U * 200 * 50);
}

}  // namespace
}  // namespace obliq
