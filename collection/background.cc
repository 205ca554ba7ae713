// Queues in order of time, each with some threads that wait for the first work of it. They live as
// long as the process: a collection waits for its own work before it goes. Steps may take hours, or
// wait for their rate: what is to happen at a time has a queue of its own.
#include "collection/background.h"

#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "core/parallel.h"

namespace obliq {
namespace {

using Time = std::chrono::steady_clock::time_point;

class Pool {
 public:
  explicit Pool(std::size_t most) : most_(most) {}
  void add(const std::shared_ptr<Pool>& self, Time when, std::function<void()> work) {
    const std::lock_guard lock(mutex_);
    const auto place = queue_.emplace(when, std::move(work));
    if (idle_ < queue_.size() && threads_ < most_) start(self, place);
    ready_.notify_one();
  }

 private:
  using Queue = std::multimap<Time, std::function<void()>>;

  // Requires the mutex. The thread ends with the process.
  void start(const std::shared_ptr<Pool>& self, Queue::iterator newest) {
    try {
      std::thread([self] { self->serve(); }).detach();
      ++threads_;
    } catch (const std::system_error&) {
      if (threads_ > 0) return;  // the others will do it
      queue_.erase(newest);
      throw;
    }
  }

  // Requires the mutex, which is let go while this waits.
  std::function<void()> take(std::unique_lock<std::mutex>& lock) {
    for (;;) {
      if (queue_.empty()) {
        ready_.wait(lock);
        continue;
      }
      const Time first = queue_.begin()->first;
      if (std::chrono::steady_clock::now() >= first) break;
      ready_.wait_until(lock, first);
    }
    return std::move(queue_.extract(queue_.begin()).mapped());
  }

  [[noreturn]] void serve() {
    std::unique_lock lock(mutex_);
    while (true) {
      ++idle_;
      const std::function<void()> work = take(lock);
      --idle_;
      lock.unlock();
      work();
      lock.lock();
    }
  }

  const std::size_t most_;  // threads
  std::mutex mutex_;
  std::condition_variable ready_;
  Queue queue_;
  std::size_t threads_ = 0;
  std::size_t idle_ = 0;
};

struct Pools {
  static constexpr int kMostForSteps = 6;
  std::shared_ptr<Pool> steps = std::make_shared<Pool>(
      static_cast<std::size_t>(std::clamp(resolve_threads(0), 1, kMostForSteps)));
  std::shared_ptr<Pool> timed = std::make_shared<Pool>(2);
};

// Those of this process: a child of it has queues without threads of its parent. Threads keep their
// pool, too: they may still wait on it when the process ends.
Pools pools_of_process() {
  static std::mutex mutex;
  static Pools pools;
  static pid_t process = ::getpid();
  const std::lock_guard lock(mutex);
  if (process != ::getpid()) {
    pools = Pools();
    process = ::getpid();
  }
  return pools;
}

}  // namespace

std::chrono::steady_clock::duration bounded_duration(double seconds) {
  const std::chrono::duration<double> bounded(std::min(seconds, kForever));
  return std::chrono::duration_cast<std::chrono::steady_clock::duration>(bounded);
}

void run_in_background(std::function<void()> work) {
  const Pools pools = pools_of_process();
  pools.steps->add(pools.steps, std::chrono::steady_clock::now(), std::move(work));
}

void run_in_background(std::chrono::steady_clock::time_point when, std::function<void()> work) {
  const Pools pools = pools_of_process();
  pools.timed->add(pools.timed, when, std::move(work));
}

}  // namespace obliq
