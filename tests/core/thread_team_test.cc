// Threads that the system refuses to make, too many of them, and a process that has forked. The
// function that makes threads is replaced in this program: a definition of ours goes before the
// library's.
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <limits>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "core/parallel.h"

namespace {

constexpr int kNoLimit = std::numeric_limits<int>::max();
std::atomic<int> threads_left = kNoLimit;  // that can be made

}  // namespace

extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* attributes,
                              void* (*start)(void*), void* argument) noexcept {
  using Create = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  static const auto create = reinterpret_cast<Create>(::dlsym(RTLD_NEXT, "pthread_create"));
  if (threads_left != kNoLimit && threads_left-- <= 0) return EAGAIN;
  return create(thread, attributes, start, argument);
}

namespace obliq {
namespace {

using ::testing::Each;

/// Runs in a new thread, which has no helpers yet.
template <class Job>
void in_new_thread(const Job& job, int can_be_made = kNoLimit) {
  std::thread([&] {
    threads_left = can_be_made;
    job();
    threads_left = kNoLimit;
  }).join();
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

TEST(ThreadTeam, GoesOnWithTheThreadsThatCanBeMade) {
  for (const int can_be_made : {0, 1, 2}) {
    std::vector<int> visits(300);
    std::size_t took_part = 0;
    in_new_thread([&] { took_part = threads_of_loop(8, visits); }, can_be_made);
    EXPECT_THAT(visits, Each(1)) << can_be_made;
    EXPECT_EQ(took_part, static_cast<std::size_t>(can_be_made) + 1);
  }
}

TEST(ThreadTeam, GrowsAgainOnceThreadsCanBeMade) {
  in_new_thread([] {
    std::vector<int> visits(300);
    threads_left = 0;
    EXPECT_EQ(threads_of_loop(3, visits), 1U);
    threads_left = kNoLimit;
    EXPECT_EQ(threads_of_loop(3, visits), 3U);
    EXPECT_EQ(threads_of_loop(2, visits), 2U) << "a smaller team is a part of the larger one";
    EXPECT_THAT(visits, Each(1));
  });
}

TEST(ThreadTeam, IsBoundedWhateverIsAskedFor) {
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

TEST(ThreadTeam, WorksAloneInsideABody) {
  std::atomic<int> inner = 0;
  parallel_for(8, 1, 4, [&](std::size_t, std::size_t, int) {
    const std::thread::id outer = std::this_thread::get_id();
    parallel_for(10, 1, 4, [&](std::size_t, std::size_t, int thread) {
      if (thread == 0 && std::this_thread::get_id() == outer) ++inner;
    });
  });
  EXPECT_EQ(inner, 80);
}

TEST(ThreadTeam, IsMadeAnewInAForkedChild) {
  std::vector<int> visits(100);
  ASSERT_EQ(threads_of_loop(3, visits), 3U);
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(30);  // instead of waiting for ever for threads that are not there
    std::vector<int> again(100);
    ::_exit(threads_of_loop(3, again) == 3 && again == std::vector<int>(100, 1) ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

TEST(ThreadTeam, ServesCallsOfManyThreadsAtOnce) {
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
