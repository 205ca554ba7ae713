// Where the segments of a collection are: in files of its directory, or in memory without one.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "collection/batch_record.h"
#include "collection/manifest.h"
#include "collection/snapshot.h"
#include "collection/statistics.h"
#include "index/build/merge_sources.h"

namespace obliq {

/// Makes a folder, which may be there if it is empty, but for what a writer leaves that was killed
/// before it had made the first manifest. Throws std::invalid_argument where it is not,
/// std::system_error where it cannot be made.
void make_folder(const std::string& path);

/// One caller at a time.
class CollectionStore {
 public:
  /// `path` empty: in memory.
  CollectionStore(const std::string& path, const ManifestInfo& info, ColumnSchema schema)
      : directory_(path),
        info_(info),
        schema_(std::make_shared<const ColumnSchema>(std::move(schema))) {}

  bool in_memory() const { return directory_.path().empty(); }
  const CollectionDirectory& directory() const { return directory_; }
  const ManifestInfo& info() const { return info_; }
  const History& history() const { return history_; }
  /// The columns of the newest manifest; never null.
  const std::shared_ptr<const ColumnSchema>& schema() const { return schema_; }
  /// Counts what is written. Any number of threads may use it.
  CollectionStatistics& statistics() const { return *statistics_; }
  /// Goes on from a manifest that was read.
  void continue_from(const Manifest& manifest);
  /// A number for a file, which no other has.
  std::uint64_t take_number() { return info_.next_number++; }
  /// Numbers up to this one are taken.
  void skip_numbers(std::uint64_t number);
  /// A commit does not remove segment `number`, which no manifest names yet: until one is of change
  /// `sequence` or later, or, where that is 0, until this is said again or it is forgotten.
  void keep(std::uint64_t number, std::uint64_t sequence) { kept_[number] = sequence; }
  void forget(std::uint64_t number) { kept_.erase(number); }

  void save(const TrainedModel& model) const;
  /// Reads every byte of the files of parts, so that what is damaged gets no right checksums.
  /// Throws std::runtime_error.
  void verify(const std::vector<Part>& parts) const;
  /// Merges into a part with file `number`, or in memory. Callers may do this at the same time with
  /// different numbers.
  Part merge(const std::shared_ptr<const TrainedModel>& model,
             const std::vector<MergeSource>& sources, std::uint64_t number,
             const Progress& progress = {}) const;

  /// Gives a part that `merge` or a change has made of `from` the table of its keys, written where
  /// the part has a file, else in memory. Nothing where ids are numbers. Throws std::runtime_error
  /// where a table is damaged, std::system_error where it cannot be written. Cost: 8 bytes of
  /// memory per key while it is written.
  void add_keys(Part& part, std::span<const Part> from) const;

  /// What a log record or a manifest says of a part's file.
  SegmentEntry entry_of(const Part& part) const;
  /// The next manifest: of those parts of the snapshot that have files, with their deleted rows,
  /// but for files that came with a change after `sequence`. `first_log`: the first log with
  /// changes that are not in them; `sequence`: the last change that is. Writes bitmaps, and notes
  /// in the parts which are written.
  Manifest prepare(std::vector<Part>& parts, const ModelInUse& model, const KnownTuning& tuned,
                   std::int64_t next_id, std::uint64_t sequence, std::uint64_t first_log);
  /// Writes it, and removes the files that are not needed any more. In memory it notes the numbers
  /// alone. Where it throws, info() stays as it was; where nobody knows then which manifest counts,
  /// all later calls, and require_sound, throw.
  void commit(Manifest manifest);
  /// Throws std::runtime_error after a commit of which nobody knows whether it counts.
  void require_sound() const;
  /// Whether a manifest names the part's file.
  static bool is_sealed(const Part& part) { return part.file != 0 && part.logged == 0; }

 private:
  SegmentEntry entry_with_deleted(Part& part);
  void take_changing(const ManifestInfo& info);
  std::set<std::string> needed(const std::vector<SegmentEntry>& segments) const;

  void remove_unneeded(const std::vector<SegmentEntry>& segments) const noexcept;

  CollectionDirectory directory_;
  ManifestInfo info_;
  History history_;
  std::shared_ptr<const ColumnSchema> schema_;
  std::shared_ptr<CollectionStatistics> statistics_ = std::make_shared<CollectionStatistics>();
  std::string failure_;  // of the commit that may count or not
  std::map<std::uint64_t, std::uint64_t> kept_;
};

/// Called while the bytes of a model or a segment are verified, with the share of the file so far.
using FileCheck = std::function<void(const std::string& path, double share)>;

/// What the parts of a collection have in common.
struct PartKind {
  const ManifestInfo& info;
  const ColumnSchema& schema;
  const std::shared_ptr<const TrainedModel>& model;
};

/// Opens a segment's file, its keys and the bitmap of its deleted rows. Throws as open_stored.
Part open_part(const CollectionDirectory& directory, const SegmentEntry& entry,
               const PartKind& kind, const FileCheck& check = {});

/// The same of a segment that a log names.
Part open_logged_part(const CollectionDirectory& directory, const SegmentRecord& record,
                      const PartKind& kind, const FileCheck& check = {});

/// What a manifest names, opened.
struct StoredCollection {
  Manifest manifest;
  ModelInUse model;
  std::vector<Part> parts;
};

/// Reads files that a writer may replace meanwhile: calls `read` again where that failed and there
/// is a newer manifest, unless it was cancelled. Throws what it throws.
void while_files_change(const CollectionDirectory& directory, const std::function<void()>& read);

/// Opens what the newest manifest names; model and segments that `known` has are taken from there,
/// of the others every byte is verified where there is a `check`. Throws std::runtime_error where a
/// file is damaged or of another collection, std::system_error where one is missing, and what the
/// check throws.
StoredCollection open_stored(const CollectionDirectory& directory, const FileCheck& check = {},
                             const Snapshot* known = nullptr);

}  // namespace obliq
