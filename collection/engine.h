// The engine of a collection. A change is encoded, logged and seen at once, as a small segment in
// memory; small ones are merged as a binary counter. Work in the background, one step at a time,
// writes them to files, merges files of like size, and trains models.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "collection/batch_record.h"
#include "collection/given_names.h"
#include "collection/snapshot.h"
#include "collection/store.h"
#include "collection/tiers.h"
#include "obliq/collection.h"
#include "storage/lock_file.h"
#include "storage/log_writer.h"

namespace obliq {

class CollectionEngine;

/// What the background is to call later, unless the collection is closed by then.
class LaterCalls {
 public:
  explicit LaterCalls(CollectionEngine* engine) : engine_(engine) {}
  template <typename Call>
  void run(Call call) {
    const std::lock_guard lock(mutex_);
    if (engine_ != nullptr) call(*engine_);
  }
  /// Returns when none runs. There will be none.
  void end() {
    const std::lock_guard lock(mutex_);
    engine_ = nullptr;
  }

 private:
  std::mutex mutex_;
  CollectionEngine* engine_;
};

class CollectionEngine {
  using Clock = std::chrono::steady_clock;

 public:
  /// A new one, in memory where `path` is empty.
  static std::unique_ptr<CollectionEngine> create(const std::string& path,
                                                  const CollectionOptions& options,
                                                  const CollectionAccess& access);
  static std::unique_ptr<CollectionEngine> open(const std::string& path,
                                                const CollectionAccess& access);
  /// Of a directory that is neither made nor read yet.
  CollectionEngine(const std::string& path, const ManifestInfo& info, ColumnSchema schema,
                   const CollectionAccess& access);
  ~CollectionEngine();
  CollectionEngine(const CollectionEngine&) = delete;
  CollectionEngine& operator=(const CollectionEngine&) = delete;

  const ManifestInfo& info() const { return store_.info(); }
  CollectionStatistics& statistics() const { return store_.statistics(); }
  std::shared_ptr<const Snapshot> snapshot() const;

  /// Vectors with their ids or, without ids, with new ones. Returns the first of those.
  std::int64_t add(MatrixView<float> vectors, MatrixView<std::int64_t> ids,
                   std::span<const ColumnValues> columns, bool replaces);
  std::size_t remove(std::span<const std::int64_t> ids);
  void update(std::span<const std::int64_t> ids, std::span<const ColumnValues> columns);
  /// The same where ids are strings.
  void add_keyed(MatrixView<float> vectors, std::span<const std::string_view> keys,
                 std::span<const ColumnValues> columns, bool replaces);
  std::size_t remove_keyed(std::span<const std::string_view> keys);
  void update_keyed(std::span<const std::string_view> keys, std::span<const ColumnValues> columns);
  void add_column(const ColumnSpec& column);
  /// Throws std::invalid_argument with the remedy where its ids are others.
  void require_ids(IdType ids) const;
  void sync();
  void wait();
  void train(const Progress& progress);
  void compact(const Progress& progress);
  void verify(const VerifyOptions& options) const;
  void backup(const std::string& folder, const Progress& progress) const;
  void export_index(const std::string& path);
  bool refresh();
  void close();
  CollectionStats stats() const;
  CollectionOptions options() const;

 private:
  /// A model with what encodes under it.
  struct ActiveModel {
    explicit ActiveModel(ModelInUse model) : used(std::move(model)), encoder(*used.model) {}
    ModelInUse used;
    VectorEncoder encoder;
  };

  // engine.cc: opening, and what all need; operators.cc: figures, backup.
  void load();
  void load_newest();
  void start_writing(const Snapshot& state);
  void require_own_process() const;
  void require_writer();
  /// Throws once close() has given the directory back. Requires the lock of changes.
  void require_open() const;
  std::unique_lock<std::mutex> begin_step();
  std::shared_ptr<const ActiveModel> active() const;
  void publish(std::shared_ptr<const Snapshot> next);
  void start_log();
  void seal_rest();
  void keep_counters();
  /// Makes it the newest: to see, and to change.
  void show(std::shared_ptr<const Snapshot> next);
  void show(std::shared_ptr<const Snapshot> next, std::shared_ptr<const ActiveModel> model);

  // replay.cc: what the logs say.
  void replay(std::shared_ptr<const Snapshot>& state);
  void replay_on(std::shared_ptr<const Snapshot>& state);
  void replay_log(std::uint64_t number, bool is_last, std::optional<LogPlace> from,
                  std::shared_ptr<const Snapshot>& state);
  std::shared_ptr<const Snapshot> changed(const Snapshot& now, std::uint8_t type,
                                          std::span<const std::byte> payload) const;

  // changes.cc: one change. The lock of changing_ is held where a function has no other name for
  // it.
  void begin_flat(MatrixView<float> vectors);
  EncodedBatch encode(const ActiveModel& model, MatrixView<float> vectors) const;
  std::shared_ptr<const Snapshot> with_batch(const Snapshot& now, EncodedBatch batch,
                                             std::span<const ColumnValues> columns) const;
  /// A batch as a part in memory.
  Part part_of(const std::shared_ptr<const TrainedModel>& model, EncodedBatch batch,
               std::span<const ColumnValues> columns) const;
  void log_batch(const EncodedBatch& batch, std::span<const ColumnValues> columns,
                 const TrainedModel& model);
  std::shared_ptr<const Snapshot> with_removal(const Snapshot& now,
                                               std::span<const std::int64_t> ids,
                                               std::size_t* removed) const;
  /// Whether a step in the background reads the part's segment in memory.
  bool is_busy(const Part& part) const;
  void merge_small(std::vector<Part>& parts, const ModelInUse& model) const;
  std::int64_t add_named(MatrixView<float> vectors, const GivenNames& names);
  std::vector<std::int64_t> ids_for(const Snapshot& now, const GivenNames& names, std::size_t n,
                                    std::int64_t* next_id) const;
  using Chosen = std::function<std::vector<std::int64_t>(const Snapshot&)>;
  std::size_t remove_chosen(const Chosen& choose);
  std::size_t merged_later() const;
  void wait_for_room(std::unique_lock<std::mutex>& lock, Clock::duration taken);

  // large_adds.cc: many vectors at once.
  struct NamedVectors {
    std::vector<std::int64_t> ids;
    std::int64_t first = 0;    // id, where none were given
    std::int64_t next_id = 0;  // after them
    std::uint64_t file = 0;    // number
  };
  std::int64_t add_large(MatrixView<float> vectors, const GivenNames& names);
  NamedVectors name_vectors(std::unique_lock<std::mutex>& lock, MatrixView<float> vectors,
                            const GivenNames& names);
  void end_large();
  Part write_vectors(const ActiveModel& model, MatrixView<float> vectors, const GivenNames& names,
                     const NamedVectors& named) const;
  Part write_batch(const std::shared_ptr<const TrainedModel>& model, EncodedBatch batch,
                   std::span<const ColumnValues> columns, std::uint64_t file) const;
  void log_segment(const Part& added, const NamedVectors& named);
  std::shared_ptr<const Snapshot> with_segment(const Snapshot& now, std::int64_t next_id,
                                               bool replaces, Part added) const;
  std::shared_ptr<const Snapshot> with_logged_segment(const Snapshot& now,
                                                      std::span<const std::byte> payload) const;

  // durable.cc: changes on their way to the disk.
  void log(ChangeKind kind, std::span<const std::span<const std::byte>> payload);
  void finish(std::unique_lock<std::mutex>& lock, std::shared_ptr<const Snapshot> next);
  void sync_until(std::unique_lock<std::mutex>& lock, std::uint64_t sequence);
  void lead_sync(std::unique_lock<std::mutex>& lock);
  void plan_sync();
  void sync_planned();
  /// The lock of changes, for one.
  std::unique_lock<std::mutex> lock_change();
  /// The lock of changes, with all changes so far synced and seen: for a step.
  std::unique_lock<std::mutex> lock_settled();

  // keyed_changes.cc: ids that are strings.
  /// Throws std::runtime_error on what a writer could not have logged: another id for a key that is
  /// there, or that of another key.
  static void check_numbers(const Snapshot& now, const EncodedBatch& batch);

  // column_changes.cc: columns, and new values of vectors that are there.
  void update_named(const GivenNames& names, std::size_t n);
  std::shared_ptr<const Snapshot> with_update_file(const Snapshot& now, EncodedBatch batch,
                                                   const Columns& columns);

  // maintenance.cc: steps in the background, one at a time.
  /// Vectors under another model: where they were, with what was deleted of them then.
  struct Moved {
    std::vector<Part> from;
    Part to;
  };
  Work wanted();
  /// For a step that writes so many bytes: at the rate that was asked for, until somebody closes.
  Progress pace(std::uint64_t bytes);
  /// The same, and `progress` of a caller.
  Progress pace(std::uint64_t bytes, const Progress& progress);
  void look_for_work();
  /// The same; what it fails with is told by the next change, since this one has happened.
  void look_after_change();
  void note_failure(const std::string& what);
  void wait_for_all();
  /// Returns when a step has ended, or at that time. False: there is none to wait for.
  bool wait_for_step(Clock::time_point until);
  void work();
  bool step();
  std::uint64_t rotate_log();
  void set_busy(const std::vector<Part>& parts);
  std::shared_ptr<const Snapshot> verified();
  void seal(const Progress& progress);
  void merge_files(const std::vector<Part>& parts, const Progress& progress);
  void replace(const Moved& moved, std::uint64_t sequence, std::uint64_t first_log);
  void tune(const Progress& progress);
  bool may_tune();
  void retrain(const Progress& progress);
  void encode_again(const Progress& progress);
  std::vector<Part> take_fresh(std::vector<Part>& seen);
  std::shared_ptr<const ActiveModel> train_of(const std::vector<Part>& parts,
                                              const Progress& progress) const;
  Moved encode_parts(const ActiveModel& model, const std::vector<Part>& parts, bool first,
                     const Progress& progress) const;
  void switch_model(std::shared_ptr<const ActiveModel> model, std::vector<Moved> moved,
                    Tuning tuning);

  // following.cc: what another process writes.
  bool catch_up();
  void plan_look();

  CollectionStore store_;
  const CollectionAccess access_;
  const int process_;  // that made it: not a child's after fork
  std::optional<LockFile> lock_;

  mutable std::mutex seeing_;  // of the two pointers, held for the time of a copy
  std::shared_ptr<const Snapshot> snapshot_ = std::make_shared<const Snapshot>(store_.schema());
  std::shared_ptr<const ActiveModel> active_;

  mutable std::mutex changing_;  // one change at a time; of store_'s numbers and what follows
  std::optional<LogWriter> log_;
  std::uint64_t log_number_ = 0;
  std::vector<const void*> busy_;  // segments in memory that a step in the background reads
  std::shared_ptr<const Snapshot> head_ = snapshot_;  // with changes that are not synced yet
  std::uint64_t synced_ = 0;                          // the last change that is on the disk
  bool is_syncing_ = false;                           // a sync runs, without the lock
  bool is_sync_planned_ = false;
  int settling_ = 0;  // who wait for all to be synced; changes wait for them
  int writing_ = 0;   // large adds, which write files without the lock; close waits for them
  std::condition_variable sync_ended_;
  std::optional<LogPlace> followed_;  // a reader's: behind what it has taken of log log_number_

  std::mutex stepping_;        // one step at a time, of the background or of a caller
  mutable std::mutex status_;  // of what follows
  std::condition_variable changed_;
  bool is_working_ = false;
  std::uint64_t steps_ = 0;   // that ended
  bool looks_again_ = false;  // a change came while steps were taken
  bool is_closing_ = false;
  std::string background_error_;  // of the step that failed last
  bool must_tell_ = false;        // the next change is to tell of it
  int waiting_ = 0;               // who wait for all: it is tuned, whatever that takes
  Clock::time_point next_tuning_ = {};

  const std::shared_ptr<LaterCalls> later_ = std::make_shared<LaterCalls>(this);
};

}  // namespace obliq
