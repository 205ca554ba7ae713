// The engine of a collection. A change is encoded, logged and seen at once, as a small segment in
// memory; small ones are merged as a binary counter. Work in the background, one step at a time,
// writes them to files, merges files of like size, and trains models.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "collection/batch_record.h"
#include "collection/snapshot.h"
#include "collection/store.h"
#include "collection/tiers.h"
#include "obliq/collection.h"
#include "storage/lock_file.h"
#include "storage/log_writer.h"

namespace obliq {

class CollectionEngine {
 public:
  /// A new one, in memory where `path` is empty.
  static std::unique_ptr<CollectionEngine> create(const std::string& path,
                                                  const CollectionOptions& options,
                                                  const CollectionAccess& access);
  static std::unique_ptr<CollectionEngine> open(const std::string& path,
                                                const CollectionAccess& access);
  /// Of a directory that is neither made nor read yet.
  CollectionEngine(const std::string& path, const ManifestInfo& info,
                   const CollectionAccess& access);
  ~CollectionEngine();
  CollectionEngine(const CollectionEngine&) = delete;
  CollectionEngine& operator=(const CollectionEngine&) = delete;

  const ManifestInfo& info() const { return store_.info(); }
  std::shared_ptr<const Snapshot> snapshot() const;

  /// Vectors with their ids or, without ids, with new ones. Returns the first of those.
  std::int64_t add(MatrixView<float> vectors, MatrixView<std::int64_t> ids, bool replaces);
  std::size_t remove(std::span<const std::int64_t> ids);
  void sync();
  void wait();
  void train();
  void compact();
  void verify() const;
  void backup(const std::string& folder);
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

  // engine.cc: opening, and what all need.
  void load();
  void load_newest();
  void replay(std::shared_ptr<const Snapshot>& state);
  void replay_log(std::uint64_t number, bool is_last, std::shared_ptr<const Snapshot>& state);
  std::shared_ptr<const Snapshot> changed(const Snapshot& now, std::uint8_t type,
                                          std::span<const std::byte> payload) const;
  void require_own_process() const;
  void require_writer();
  std::unique_lock<std::mutex> begin_step();
  std::shared_ptr<const ActiveModel> active() const;
  void publish(std::shared_ptr<const Snapshot> next);
  void start_log();
  void seal_rest();

  // changes.cc: one change. The lock of changing_ is held where a function has no other name for
  // it.
  void begin_flat(MatrixView<float> vectors);
  EncodedBatch encode(const ActiveModel& model, MatrixView<float> vectors) const;
  std::shared_ptr<const Snapshot> with_batch(const Snapshot& now, EncodedBatch batch) const;
  std::shared_ptr<const Snapshot> with_removal(const Snapshot& now,
                                               std::span<const std::int64_t> ids,
                                               std::size_t* removed) const;
  /// Whether a step in the background reads the part's segment in memory.
  bool is_busy(const Part& part) const;
  void merge_small(std::vector<Part>& parts, const ModelInUse& model) const;
  void log(ChangeKind kind, std::span<const std::span<const std::byte>> payload);
  void wait_for_room(std::unique_lock<std::mutex>& lock);

  // maintenance.cc: steps in the background, one at a time.
  /// Vectors under another model: where they were, with what was deleted of them then.
  struct Moved {
    std::vector<Part> from;
    Part to;
  };
  Work wanted();
  void look_for_work();
  /// The same; what it fails with is told by the next change, since this one has happened.
  void look_after_change();
  void work();
  bool step();
  std::uint64_t rotate_log();
  void set_busy(const std::vector<Part>& parts);
  std::shared_ptr<const Snapshot> verified();
  void seal();
  void merge_files(const std::vector<Part>& parts);
  void replace(const Moved& moved, std::uint64_t sequence, std::uint64_t first_log);
  void tune();
  bool may_tune();
  void retrain();
  void encode_again();
  std::vector<Part> take_fresh(std::vector<Part>& seen);
  std::shared_ptr<const ActiveModel> train_of(const std::vector<Part>& parts) const;
  Moved encode_parts(const ActiveModel& model, const std::vector<Part>& parts, bool first) const;
  void switch_model(std::shared_ptr<const ActiveModel> model, std::vector<Moved> moved,
                    Tuning tuning);

  CollectionStore store_;
  const CollectionAccess access_;
  const int process_;  // that made it: not a child's after fork
  std::optional<LockFile> lock_;

  mutable std::mutex changing_;  // one change at a time; of store_'s numbers and of log_
  std::optional<LogWriter> log_;
  std::uint64_t log_number_ = 0;
  std::vector<const void*> busy_;  // segments in memory that a step in the background reads

  mutable std::mutex seeing_;  // of the two pointers, held for the time of a copy
  std::shared_ptr<const Snapshot> snapshot_ = std::make_shared<const Snapshot>();
  std::shared_ptr<const ActiveModel> active_;

  std::mutex stepping_;        // one step at a time, of the background or of a caller
  mutable std::mutex status_;  // of what follows
  std::condition_variable changed_;
  bool is_working_ = false;
  bool looks_again_ = false;  // a change came while steps were taken
  bool is_closing_ = false;
  std::string background_error_;  // of the step that failed last
  bool must_tell_ = false;        // the next change is to tell of it
  bool tunes_now_ = false;        // whatever tuning takes: somebody waits
  std::chrono::steady_clock::time_point next_tuning_ = {};
};

}  // namespace obliq
