#include "core/team_size.h"

#include <omp.h>

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace obliq {
namespace {

// Makes up to `wanted` threads that live until the last is made. Returns how many there were.
int count_new_threads(int wanted) {
  std::mutex mutex;
  std::condition_variable made;
  bool done = false;
  std::vector<std::thread> threads;
  try {
    threads.reserve(static_cast<std::size_t>(wanted));
    while (static_cast<int>(threads.size()) < wanted) {
      threads.emplace_back([&] {
        std::unique_lock lock(mutex);
        made.wait(lock, [&] { return done; });
      });
    }
  } catch (...) {  // no thread or no memory for one: there are fewer
  }
  {
    const std::lock_guard lock(mutex);
    done = true;
  }
  made.notify_all();
  for (std::thread& thread : threads) thread.join();
  return static_cast<int>(threads.size());
}

}  // namespace

int team_size(int wanted) {
  thread_local int last = 1;
  if (wanted <= 1 || omp_in_parallel() != 0) return 1;
  if (wanted > last) wanted = last + count_new_threads(wanted - last);
  return last = wanted;
}

}  // namespace obliq
