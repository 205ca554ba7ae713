// A writer holds the lock of the directory. Opening reads the newest manifest and replays the logs
// behind it; the files of steps that were killed are removed by the next commit.
#include "collection/engine.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <exception>
#include <filesystem>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

#include "storage/file_error.h"
#include "storage/random_number.h"

namespace obliq {
namespace {

void check_amount(double value, const char* name) {
  if (std::isfinite(value) && value >= 0) return;
  throw std::invalid_argument(fmt::format("{} is {}, expected 0 or more", name, value));
}

}  // namespace

CollectionEngine::CollectionEngine(const std::string& path, const ManifestInfo& info,
                                   ColumnSchema schema, const CollectionAccess& access)
    : store_(path, info, std::move(schema)), access_(access), process_(::getpid()) {
  check_amount(access.follow, "follow");
  check_amount(access.sync_interval, "sync_interval");
  check_amount(access.wait_limit, "wait_limit");
  check_amount(access.background_rate, "background_rate");
}

std::unique_ptr<CollectionEngine> CollectionEngine::create(const std::string& path,
                                                           const CollectionOptions& options,
                                                           const CollectionAccess& access) {
  ManifestInfo info = manifest_of(options);
  if (access.read_only) throw std::invalid_argument("a new collection cannot be read-only");
  info.collection = random_number(path);
  if (!path.empty()) make_folder(path);
  auto engine = std::make_unique<CollectionEngine>(path, info, options.columns, access);
  if (path.empty()) return engine;
  engine->lock_.emplace(engine->store_.directory().path());
  if (engine->store_.directory().newest_manifest() != 0) {  // made since the look before the lock
    throw std::invalid_argument(fmt::format("{}: it holds a collection: open it", path));
  }
  std::vector<Part> none;
  const std::uint64_t log = engine->store_.take_number();
  engine->store_.commit(engine->store_.prepare(none, {}, {}, 0, 0, log));
  engine->log_number_ = log;
  engine->start_log();
  return engine;
}

std::unique_ptr<CollectionEngine> CollectionEngine::open(const std::string& path,
                                                         const CollectionAccess& access) {
  auto engine = std::make_unique<CollectionEngine>(path, ManifestInfo{}, ColumnSchema{}, access);
  std::error_code error;
  if (!std::filesystem::is_directory(path, error)) {
    throw_system_error(path, "open the collection", error ? error.value() : ENOTDIR);
  }
  if (!access.read_only) engine->lock_.emplace(engine->store_.directory().path());
  engine->load();
  if (!access.read_only) engine->look_for_work();
  if (access.read_only) engine->plan_look();
  return engine;
}

// In a child of the process the log and the lock are the parent's: they stay as they are.
CollectionEngine::~CollectionEngine() {
  if (::getpid() != process_) return;
  try {
    close();
  } catch (...) {  // NOLINT(bugprone-empty-catch): a destructor has nobody to tell
  }
}

void CollectionEngine::load() {
  if (lock_) return load_newest();
  while_files_change(store_.directory(), [&] { load_newest(); });
}

// All is seen at once, when it is complete.
void CollectionEngine::load_newest() {
  followed_.reset();  // nobody goes on from there where this fails
  const std::shared_ptr<const Snapshot> before = snapshot();
  StoredCollection stored = open_stored(store_.directory(), {}, before.get());
  const ManifestInfo& info = stored.manifest.info;
  store_.continue_from(stored.manifest);
  auto state = std::make_shared<const Snapshot>(store_.schema());
  std::shared_ptr<const ActiveModel> model;
  if (stored.model.model != nullptr) {
    if (lock_) model = std::make_shared<const ActiveModel>(stored.model);
    KnownTuning tuned = {std::move(stored.manifest.tuning), info.tuned_for,
                         stored.manifest.history.touched};
    state =
        std::make_shared<const Snapshot>(stored.model, std::move(stored.parts), std::move(tuned),
                                         info.sequence, info.next_id, store_.schema());
  }
  replay(state);
  show(state, std::move(model));
  if (lock_) start_writing(*state);
}

void CollectionEngine::start_writing(const Snapshot& state) {
  synced_ = state.sequence();
  for (const Part& part : state.parts()) {
    if (part.logged == 0) continue;
    store_.keep(part.file, part.logged);
    store_.skip_numbers(part.file);
  }
  if (!log_) start_log();
}

void CollectionEngine::start_log() {
  log_.emplace(LogWriter::create(store_.directory().path(),
                                 CollectionDirectory::log_name(log_number_),
                                 store_.info().collection, snapshot()->sequence() + 1));
}

std::shared_ptr<const Snapshot> CollectionEngine::snapshot() const {
  const std::lock_guard lock(seeing_);
  return snapshot_;
}

std::shared_ptr<const CollectionEngine::ActiveModel> CollectionEngine::active() const {
  const std::lock_guard lock(seeing_);
  return active_;
}

// What goes is freed outside the lock.
void CollectionEngine::publish(std::shared_ptr<const Snapshot> next) {
  const std::lock_guard lock(seeing_);
  snapshot_.swap(next);
}

void CollectionEngine::show(std::shared_ptr<const Snapshot> next) {
  head_ = next;
  publish(std::move(next));
}

void CollectionEngine::show(std::shared_ptr<const Snapshot> next,
                            std::shared_ptr<const ActiveModel> model) {
  head_ = next;
  const std::lock_guard lock(seeing_);
  snapshot_.swap(next);
  active_.swap(model);
}

void CollectionEngine::require_own_process() const {
  if (::getpid() == process_) return;
  throw std::invalid_argument("the collection was opened by the parent process: open it anew");
}

// Tells of a step in the background that failed, once; from then on it is tried again.
void CollectionEngine::require_writer() {
  require_own_process();
  if (access_.read_only) throw std::invalid_argument("the collection is open to read only");
  const std::lock_guard lock(status_);
  if (is_closing_) throw std::invalid_argument("the collection is closed");
  if (!std::exchange(must_tell_, false)) return;
  throw std::runtime_error("a step in the background failed: " + background_error_);
}

void CollectionEngine::require_open() const {
  if (store_.in_memory() || log_) return;
  throw std::invalid_argument("the collection is closed");
}

// A step of a caller, who may have waited while somebody closed the collection.
std::unique_lock<std::mutex> CollectionEngine::begin_step() {
  require_writer();
  std::unique_lock one(stepping_);
  require_writer();
  return one;
}

// Steps and large adds end first, since they write files, which needs the lock of the directory.
// What fails does not keep the rest from being done.
void CollectionEngine::close() {
  require_own_process();
  later_->end();
  {
    std::unique_lock lock(status_);
    if (std::exchange(is_closing_, true)) return;
    changed_.notify_all();
    changed_.wait(lock, [&] { return !is_working_; });
  }
  const std::lock_guard one(stepping_);
  std::exception_ptr failure;
  try {
    seal_rest();
    keep_counters();
  } catch (...) {
    failure = std::current_exception();
  }
  std::unique_lock lock(changing_);
  sync_ended_.wait(lock, [&] { return !is_syncing_ && writing_ == 0; });
  try {
    if (log_) sync_until(lock, head_->sequence());
    if (log_) log_->close();
  } catch (...) {
    if (failure == nullptr) failure = std::current_exception();
  }
  log_.reset();
  if (lock_) lock_->release();
  lock_.reset();
  if (failure != nullptr) std::rethrow_exception(failure);
}

// So that opening has little to replay. Requires the lock of steps.
void CollectionEngine::seal_rest() {
  constexpr std::size_t kFewRows = 500;
  if (!log_) return;
  std::size_t rows = 0;
  for (const Part& part : snapshot()->parts()) rows += part.file == 0 ? part.rows() : 0;
  if (rows >= kFewRows) seal({});
}

CollectionOptions CollectionEngine::options() const {
  const std::lock_guard lock(changing_);
  return options_of(store_.info(), *store_.schema());
}

}  // namespace obliq
