// A queue and some threads. They live as long as the process: a collection waits for its own work
// before it goes.
#include "collection/background.h"

#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "core/parallel.h"

namespace obliq {
namespace {

class Pool {
 public:
  void add(const std::shared_ptr<Pool>& self, std::function<void()> work) {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(work));
    if (idle_ < queue_.size() && threads_ < most_) start(self);
    ready_.notify_one();
  }

 private:
  // Requires the mutex. The thread ends with the process.
  void start(const std::shared_ptr<Pool>& self) {
    try {
      std::thread([self] { self->serve(); }).detach();
      ++threads_;
    } catch (const std::system_error&) {
      if (threads_ > 0) return;  // the others will do it
      queue_.pop_back();
      throw;
    }
  }

  [[noreturn]] void serve() {
    std::unique_lock lock(mutex_);
    while (true) {
      ++idle_;
      ready_.wait(lock, [&] { return !queue_.empty(); });
      --idle_;
      const std::function<void()> work = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      work();
      lock.lock();
    }
  }

  const std::size_t most_ = static_cast<std::size_t>(std::clamp(resolve_threads(0), 1, 8));
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<std::function<void()>> queue_;
  std::size_t threads_ = 0;
  std::size_t idle_ = 0;
};

// That of this process: a child of it has a queue without threads of its parent. Threads keep their
// pool, too: they may still wait on it when the process ends.
std::shared_ptr<Pool> pool_of_process() {
  static std::mutex mutex;
  static std::shared_ptr<Pool> pool;
  static pid_t process = 0;
  const std::lock_guard lock(mutex);
  if (process != ::getpid()) {
    pool = std::make_shared<Pool>();
    process = ::getpid();
  }
  return pool;
}

}  // namespace

void run_in_background(std::function<void()> work) {
  const std::shared_ptr<Pool> pool = pool_of_process();
  pool->add(pool, std::move(work));
}

}  // namespace obliq
