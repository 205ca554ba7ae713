// Threads that help the thread that made them: made at the first call that needs them, they wait
// between calls, and end with their maker. Each thread that asks has a team of its own, so calls of
// different threads do not wait for each other.
//
// Threads that the system refuses to make are done without: a team may be smaller than asked for,
// and a caller alone is a team. In a forked child, whose parent's threads do not exist, a new team
// is made.
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace obliq {

class ThreadTeam {
 public:
  /// The calling thread's; made anew in a forked child.
  static ThreadTeam& mine();

  ThreadTeam();
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  /// Whether the calling thread is inside run(), as its caller or its helper.
  static bool is_running();

  /// Calls job(0) in this thread and job(i), for i below `size`, in as many helpers as there are
  /// and wake before job(0) returns: the job must be one that a thread alone completes, and throw
  /// nothing. Returns when all calls have.
  void run(int size, const std::function<void(int)>& job);

 private:
  struct Owner;

  void grow(std::size_t helpers) noexcept;
  void help(int number);

  pid_t process_;
  std::vector<std::thread> helpers_;
  std::mutex mutex_;
  std::condition_variable begun_;
  std::condition_variable left_;
  // Under the mutex:
  const std::function<void(int)>* job_ = nullptr;  // null: helpers may not join
  std::uint64_t round_ = 0;                        // numbers the calls of run
  int size_ = 0;
  int inside_ = 0;  // helpers in the job
  bool ends_ = false;
};

}  // namespace obliq
