#include "core/thread_team.h"

#include <unistd.h>

#include <memory>

namespace obliq {
namespace {

thread_local bool running = false;

class Running {
 public:
  Running() { running = true; }
  ~Running() { running = false; }
};

}  // namespace

// In a forked child the parent's team is left as it is: its threads cannot be joined there, and its
// lock may be held by one that is gone.
struct ThreadTeam::Owner {
  ~Owner() { leave_parents(); }
  void leave_parents() {
    if (team != nullptr && team->process_ != ::getpid()) static_cast<void>(team.release());
  }
  std::unique_ptr<ThreadTeam> team;
};

ThreadTeam::ThreadTeam() : process_(::getpid()) {}

ThreadTeam& ThreadTeam::mine() {
  thread_local Owner owner;
  owner.leave_parents();
  if (owner.team == nullptr) owner.team = std::make_unique<ThreadTeam>();
  return *owner.team;
}

ThreadTeam::~ThreadTeam() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  begun_.notify_all();
  for (std::thread& helper : helpers_) helper.join();
}

bool ThreadTeam::is_running() { return running; }

void ThreadTeam::grow(std::size_t helpers) noexcept {
  try {
    helpers_.reserve(helpers);
    while (helpers_.size() < helpers) {
      const int number = static_cast<int>(helpers_.size()) + 1;
      helpers_.emplace_back([this, number] { help(number); });
    }
  } catch (...) {  // no thread or no memory for one: there are fewer
  }
}

void ThreadTeam::help(int number) {
  const Running inside;
  std::uint64_t seen = 0;
  std::unique_lock lock(mutex_);
  for (;;) {
    begun_.wait(lock,
                [&] { return ends_ || (job_ != nullptr && round_ != seen && number < size_); });
    if (ends_) return;
    seen = round_;
    const auto& job = *job_;
    ++inside_;
    lock.unlock();
    job(number);
    lock.lock();
    if (--inside_ == 0) left_.notify_one();
  }
}

void ThreadTeam::run(int size, const std::function<void(int)>& job) {
  const Running inside;
  if (size > 1) grow(static_cast<std::size_t>(size) - 1);
  {
    const std::lock_guard lock(mutex_);
    job_ = &job;
    size_ = size;
    ++round_;
  }
  begun_.notify_all();
  job(0);
  std::unique_lock lock(mutex_);
  job_ = nullptr;
  left_.wait(lock, [&] { return inside_ == 0; });
}

}  // namespace obliq
