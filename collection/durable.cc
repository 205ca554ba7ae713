// How changes reach the disk. With Durability::every a change is seen once it is synced: what
// throws has not happened. Whoever comes first syncs for all whose records are written by then,
// while others go on; they build upon the newest change, seen or not.
#include <exception>
#include <stdexcept>
#include <utility>

#include "collection/background.h"
#include "collection/engine.h"

namespace obliq {

void CollectionEngine::log(ChangeKind kind, std::span<const std::span<const std::byte>> payload) {
  if (store_.in_memory()) return;
  require_open();
  store_.require_sound();
  const std::uint64_t before = log_->next().offset;
  log_->append(static_cast<std::uint8_t>(kind), payload);
  store_.statistics().count(Counter::logged_bytes, log_->next().offset - before);
}

// Of a change that is logged.
void CollectionEngine::finish(std::unique_lock<std::mutex>& lock,
                              std::shared_ptr<const Snapshot> next) {
  const std::uint64_t sequence = next->sequence();
  if (store_.in_memory() || access_.durability != Durability::every) {
    show(std::move(next));
    plan_sync();
  } else {
    head_ = std::move(next);
    sync_until(lock, sequence);
  }
  lock.unlock();
  look_after_change();
}

void CollectionEngine::sync_until(std::unique_lock<std::mutex>& lock, std::uint64_t sequence) {
  while (synced_ < sequence) {
    require_open();
    if (is_syncing_) {
      sync_ended_.wait(lock);
    } else {
      lead_sync(lock);
    }
  }
}

void CollectionEngine::lead_sync(std::unique_lock<std::mutex>& lock) {
  const std::shared_ptr<const Snapshot> target = head_;
  const LogPlace upto = log_->begin_sync();
  is_syncing_ = true;
  lock.unlock();
  int error = 0;
  {
    const LatencyTimer timer(store_.statistics().times(Timed::sync));
    error = log_->sync_data();
  }
  lock.lock();
  is_syncing_ = false;
  sync_ended_.notify_all();
  log_->end_sync(upto, error);
  synced_ = target->sequence();
  if (synced_ > snapshot()->sequence()) publish(synced_ == head_->sequence() ? head_ : target);
}

// Changes wait while somebody settles, so that it ends. All is synced, whatever the durability:
// what a step commits has the deletions of all changes, of which none may then be lost.
std::unique_lock<std::mutex> CollectionEngine::lock_change() {
  std::unique_lock lock(changing_);
  sync_ended_.wait(lock, [&] { return settling_ == 0; });
  return lock;
}

std::unique_lock<std::mutex> CollectionEngine::lock_settled() {
  std::unique_lock lock(changing_);
  ++settling_;
  const auto ends = [&] {
    --settling_;
    sync_ended_.notify_all();
  };
  try {
    sync_ended_.wait(lock, [&] { return !is_syncing_; });
    if (log_) sync_until(lock, head_->sequence());
  } catch (...) {
    ends();
    throw;
  }
  ends();
  return lock;
}

void CollectionEngine::sync() {
  require_writer();
  std::unique_lock lock(changing_);
  if (!store_.in_memory()) sync_until(lock, head_->sequence());
}

void CollectionEngine::plan_sync() {
  if (access_.durability != Durability::interval || store_.in_memory() || is_sync_planned_) return;
  const auto interval = bounded_duration(access_.sync_interval);
  const auto call = [later = later_] {
    later->run([](CollectionEngine& engine) { engine.sync_planned(); });
  };
  try {
    run_in_background(Clock::now() + interval, call);
    is_sync_planned_ = true;
  } catch (const std::exception& failure) {  // the change has happened: the next one tells
    note_failure(failure.what());
  }
}

void CollectionEngine::sync_planned() {
  try {
    std::unique_lock lock(changing_);
    is_sync_planned_ = false;
    if (log_) sync_until(lock, head_->sequence());
  } catch (const std::exception& failure) {
    note_failure(failure.what());
  }
}

}  // namespace obliq
