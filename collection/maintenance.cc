// Steps in the background. Each takes a snapshot, makes a new segment of it beside the changes that
// go on, and puts it in the place of the old ones in a short step that changes wait for and
// searches do not: what was deleted meanwhile is deleted in the new segment, too.
//
//     seal      segments in memory become a file, and the log goes on in a new file
//     merge     four files of like size, or one with many deleted rows, become one
//     tune      for target recalls, when there are many more vectors or fewer than there were
//     retrain   retraining.cc
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <exception>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "collection/background.h"
#include "collection/engine.h"
#include "collection/parts.h"
#include "index/build/merge.h"
#include "index/segment/row_decoder.h"
#include "index/tune/tuning.h"

namespace obliq {
namespace {

constexpr std::size_t kOutgrown = 2;  // of the n of a model, when a compaction trains the next

std::uint64_t bytes_of(const std::vector<Part>& parts) {
  std::uint64_t bytes = 0;
  for (const Part& part : parts) bytes += part.bytes();
  return bytes;
}

}  // namespace

Work CollectionEngine::wanted() {
  ManifestInfo info;
  History history;
  std::uint64_t log_bytes = 0;
  {
    const std::lock_guard lock(changing_);
    info = store_.info();
    history = store_.history();
    if (log_) log_bytes = log_->next().offset;
  }
  Work work = next_work(*snapshot(), info, history, store_.in_memory(), log_bytes);
  work.tune = work.tune && may_tune();
  return work;
}

// Tuning takes at most a tenth of the time while vectors come fast, unless somebody waits for it.
bool CollectionEngine::may_tune() {
  const std::lock_guard lock(status_);
  return waiting_ > 0 || std::chrono::steady_clock::now() >= next_tuning_;
}

void CollectionEngine::look_for_work() {
  if (access_.read_only || wanted().nothing()) return;
  {
    const std::lock_guard lock(status_);
    looks_again_ = is_working_;
    if (is_working_ || is_closing_ || must_tell_) return;
    is_working_ = true;
  }
  try {
    run_in_background([this] { work(); });
  } catch (...) {
    const std::lock_guard lock(status_);
    is_working_ = false;
    throw;
  }
}

void CollectionEngine::look_after_change() {
  try {
    look_for_work();
  } catch (const std::exception& failure) {
    note_failure(failure.what());
  }
}

void CollectionEngine::note_failure(const std::string& what) {
  const std::lock_guard lock(status_);
  must_tell_ = true;
  background_error_ = what;
}

Progress CollectionEngine::pace(std::uint64_t bytes) {
  const double seconds =
      access_.background_rate > 0 ? static_cast<double>(bytes) / access_.background_rate : 0;
  return [this, seconds, start = Clock::now()](std::string_view /*stage*/, double fraction) {
    std::unique_lock lock(status_);
    changed_.wait_until(lock, start + bounded_duration(fraction * seconds),
                        [&] { return is_closing_; });
    return !is_closing_;
  };
}

Progress CollectionEngine::pace(std::uint64_t bytes, const Progress& progress) {
  return [own = pace(bytes), progress](std::string_view stage, double fraction) {
    return own(stage, fraction) && (!progress || progress(stage, fraction));
  };
}

// Until nothing is left. Who found it at work has it look again.
void CollectionEngine::work() {
  const auto goes_on = [&] {
    const std::lock_guard lock(status_);
    return !is_closing_;
  };
  for (bool again = true; again;) {
    std::string error;
    try {
      while (goes_on() && step()) {
        const std::lock_guard lock(status_);
        ++steps_;
        changed_.notify_all();
      }
    } catch (const Cancelled&) {  // NOLINT(bugprone-empty-catch): the collection closes
    } catch (const std::exception& failure) {
      error = failure.what();
    }
    const std::lock_guard lock(status_);
    if (!error.empty()) {
      background_error_ = error;
      must_tell_ = true;
    }
    again = std::exchange(looks_again_, false) && !is_closing_ && error.empty();
    if (again) continue;
    is_working_ = false;
    changed_.notify_all();
  }
}

void CollectionEngine::wait() {
  require_own_process();
  const auto add_waiting = [&](int more) {
    const std::lock_guard lock(status_);
    waiting_ += more;
  };
  add_waiting(1);
  try {
    wait_for_all();
  } catch (...) {
    add_waiting(-1);
    throw;
  }
  add_waiting(-1);
}

void CollectionEngine::wait_for_all() {
  do {
    look_for_work();
    std::unique_lock lock(status_);
    changed_.wait(lock, [&] { return !is_working_; });
    if (!must_tell_ && !is_closing_) continue;
    if (!std::exchange(must_tell_, false)) return;
    throw std::runtime_error("a step in the background failed: " + background_error_);
  } while (!access_.read_only && !wanted().nothing());
}

bool CollectionEngine::wait_for_step(Clock::time_point until) {
  look_for_work();
  std::unique_lock lock(status_);
  if (!is_working_) return false;
  changed_.wait_until(lock, until, [&, before = steps_] {
    return steps_ != before || !is_working_ || must_tell_ || is_closing_;
  });
  return true;
}

bool CollectionEngine::step() {
  const std::lock_guard one(stepping_);
  const Work work = wanted();
  if (work.nothing()) return false;
  if (work.train) {
    retrain(pace(0));
  } else if (work.seal) {
    seal(pace(0));  // changes may wait for it
  } else if (work.tune) {
    tune(pace(0));
  } else {
    merge_files(work.merge, pace(bytes_of(work.merge)));
  }
  return true;
}

void CollectionEngine::set_busy(const std::vector<Part>& parts) {
  busy_.clear();
  for (const Part& part : parts) busy_.push_back(part.segment.owner.get());
}

// Requires the lock of changes. The new log is there before the old one is closed, and the old one
// is on the disk before that.
std::uint64_t CollectionEngine::rotate_log() {
  if (store_.in_memory()) return 0;
  require_open();
  const std::uint64_t number = store_.take_number();
  log_->sync();  // first: what follows a log that is cut off is not believed
  LogWriter next =
      LogWriter::create(store_.directory().path(), CollectionDirectory::log_name(number),
                        store_.info().collection, snapshot()->sequence() + 1);
  try {
    log_->close();
  } catch (...) {
    (void)::unlinkat(AT_FDCWD, store_.directory().log(number).c_str(), 0);
    throw;
  }
  log_.emplace(std::move(next));
  log_number_ = number;
  synced_ = head_->sequence();
  return number;
}

void CollectionEngine::seal(const Progress& progress) {
  Moved moved;
  std::uint64_t sequence = 0;
  std::uint64_t first_log = 0;
  std::uint64_t number = 0;
  std::shared_ptr<const Snapshot> now;
  {
    const std::unique_lock lock = lock_settled();
    now = snapshot();
    for (const Part& part : now->parts()) {
      if (part.file == 0) moved.from.push_back(part);
    }
    // Nothing in memory: deletions alone may be in the log.
    if (now->sequence() == store_.info().sequence) return;
    sequence = now->sequence();
    first_log = rotate_log();
    number = store_.take_number();
    set_busy(moved.from);
  }
  const LatencyTimer timer(store_.statistics().times(Timed::seal));
  try {
    if (live_rows(moved.from) > 0) {
      moved.to = store_.merge(now->model(), sources_of(moved.from), number, progress);
      store_.add_keys(moved.to, moved.from);
      store_.statistics().count(Counter::sealed_bytes, moved.to.file_bytes());
    }
    replace(moved, sequence, first_log);
  } catch (...) {
    const std::lock_guard lock(changing_);
    busy_.clear();
    throw;
  }
}

void CollectionEngine::merge_files(const std::vector<Part>& parts, const Progress& progress) {
  const LatencyTimer timer(store_.statistics().times(Timed::merge));
  Moved moved;
  moved.from = parts;
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(changing_);
    number = store_.take_number();
    set_busy(parts);
  }
  try {
    store_.verify(parts);
    moved.to = store_.merge(snapshot()->model(), sources_of(parts), number, progress);
    store_.add_keys(moved.to, parts);
    store_.statistics().count(Counter::merged_bytes, moved.to.file_bytes());
    replace(moved, store_.info().sequence, store_.info().first_log);
  } catch (...) {
    const std::lock_guard lock(changing_);
    busy_.clear();
    throw;
  }
}

void CollectionEngine::replace(const Moved& moved, std::uint64_t sequence,
                               std::uint64_t first_log) {
  const std::unique_lock lock = lock_settled();
  const std::shared_ptr<const Snapshot> now = snapshot();
  std::vector<Part> parts;
  bool placed = false;
  for (const Part& part : now->parts()) {
    if (!is_in(moved.from, part)) {
      parts.push_back(part);
    } else if (!std::exchange(placed, true)) {
      std::vector<Part> merged = {moved.to};
      delete_since(moved.from, now->parts(), merged);
      parts.push_back(std::move(merged.front()));
    }
  }
  std::erase_if(parts, [](const Part& part) { return part.live() == 0; });
  const Manifest manifest =
      store_.prepare(parts, now->used(), now->tuned(), now->next_id(), sequence, first_log);
  auto next = std::make_shared<const Snapshot>(now->used(), std::move(parts), now->tuned(),
                                               now->sequence(), now->next_id(), now->schema());
  store_.commit(manifest);
  show(std::move(next));
  busy_.clear();
}

void CollectionEngine::tune(const Progress& progress) {
  const LatencyTimer timer(store_.statistics().times(Timed::tune));
  const Clock::time_point start = Clock::now();
  const std::shared_ptr<const Snapshot> then = snapshot();
  const SegmentSet& set = IndexAccess::segments(then->index());
  const RowDecoder decoder(set);
  const RowSource rows(set.slots(), set.model().dim(), [&](std::size_t slot, float* out) {
    decoder.vector(static_cast<std::uint32_t>(slot), out);
  });
  Tuning found = tune_opened(set, rows, {}, then->tuned().tuning, {access_.threads, progress});
  {
    const std::lock_guard lock(status_);
    next_tuning_ = Clock::now() + 10 * (Clock::now() - start);
  }
  const std::unique_lock lock = lock_settled();
  const std::shared_ptr<const Snapshot> now = snapshot();
  std::vector<Part> parts = now->parts();
  KnownTuning tuned = {std::move(found), set.n(), now->tuned().touched - then->tuned().touched};
  Manifest manifest = store_.prepare(parts, now->used(), tuned, now->next_id(),
                                     store_.info().sequence, store_.info().first_log);
  manifest.history.tuned_at = unix_seconds();
  auto next = std::make_shared<const Snapshot>(now->used(), std::move(parts), std::move(tuned),
                                               now->sequence(), now->next_id(), now->schema());
  store_.commit(manifest);
  show(std::move(next));
}

void CollectionEngine::compact(const Progress& progress) {
  const std::unique_lock one = begin_step();
  const std::shared_ptr<const Snapshot> now = snapshot();
  if (now->model() == nullptr) return;
  if (!now->is_flat() && now->n() / kOutgrown >= now->model()->info.n) {
    return retrain(pace(0, progress));
  }
  if (!store_.in_memory()) seal(pace(0));
  std::vector<Part> parts;
  {
    const std::unique_lock lock = lock_settled();
    for (const Part& part : snapshot()->parts()) {
      if (store_.in_memory() || store_.is_sealed(part)) parts.push_back(part);
    }
    set_busy(parts);
  }
  const bool is_compact = parts.size() == 1 && parts.front().live() == parts.front().rows();
  if (parts.empty() || is_compact) return;
  merge_files(parts, pace(bytes_of(parts), progress));
}

// Of files that are whole. A reader's may be removed by the writer meanwhile: then it looks again.
std::shared_ptr<const Snapshot> CollectionEngine::verified() {
  for (;;) {
    std::shared_ptr<const Snapshot> now = snapshot();
    try {
      store_.verify(now->parts());
      return now;
    } catch (const std::system_error&) {
      if (!refresh()) throw;
    }
  }
}

void CollectionEngine::export_index(const std::string& path) {
  const std::lock_guard one(stepping_);
  const std::shared_ptr<const Snapshot> now = verified();
  if (now->n() == 0) throw std::invalid_argument("the collection is empty: nothing to export");
  MergePlan plan;
  plan.end_list = static_cast<std::uint32_t>(now->model()->nlist());
  plan.tune = false;
  plan.known = now->tuned().tuning;
  merge_segments(now->model(), sources_of(now->parts()), plan, path);
}

}  // namespace obliq
