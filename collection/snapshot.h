// What a search sees: a model, segments of it, which of their rows are deleted. Immutable; shared
// by all searches that began while it was the newest. A change makes another one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "collection/key_table.h"
#include "index/index_access.h"
#include "index/search/search_pools.h"
#include "index/segment/segment_set.h"
#include "obliq/columns.h"
#include "obliq/index.h"

namespace obliq {

/// A segment of a collection.
struct Part {
  Segment segment;
  std::shared_ptr<const RowBits> deleted;  ///< null: no row
  std::uint64_t file = 0;                  ///< number in its file's name; 0: in memory alone
  std::uint64_t deleted_version = 0;       ///< of the file that has `deleted`; 0: none
  std::size_t deleted_there = 0;           ///< rows that are deleted in that file
  std::shared_ptr<const KeyTable> keys;    ///< where ids are strings; else null
  /// Of a file that the log alone names: the change that it came with; 0: a manifest names it.
  std::uint64_t logged = 0;

  std::size_t rows() const { return segment.info.n; }
  std::size_t live() const { return rows() - (deleted == nullptr ? 0 : deleted->count()); }
  /// Bytes of what is stored of the vectors.
  std::size_t bytes() const;
  /// Bytes of its segment's and its keys' files.
  std::size_t file_bytes() const {
    return segment.file_bytes + (keys == nullptr ? 0 : keys->file_bytes());
  }
};

/// The segments of parts, with their deleted rows, as they are searched and read together.
SegmentSet set_of(std::shared_ptr<const TrainedModel> model, const std::vector<Part>& parts);

/// Where a vector is.
struct PartRow {
  std::size_t part = 0;
  std::uint32_t row = 0;
};

/// What is known of a model, for as long as a snapshot uses it.
struct ModelInUse {
  std::shared_ptr<const TrainedModel> model;
  bool is_flat = false;  ///< one list of raw vectors, all of which a search compares
  std::shared_ptr<SearchPools> pools = std::make_shared<SearchPools>();
};

/// How to meet target recalls, and how far that can be believed.
struct KnownTuning {
  Tuning tuning = {};
  std::uint64_t n = 0;        ///< vectors that were there when it was found
  std::uint64_t touched = 0;  ///< vectors that were added or removed since

  /// Whether a fifth of the vectors has changed.
  bool is_outdated() const { return touched > n / 5; }
  KnownTuning after(std::uint64_t more) const { return {tuning, n, touched + more}; }
};

class Snapshot {
 public:
  /// Of a collection without vectors.
  Snapshot() = default;
  Snapshot(const Snapshot&) = delete;  // its index asks it for keys
  Snapshot& operator=(const Snapshot&) = delete;
  explicit Snapshot(std::shared_ptr<const ColumnSchema> schema) : schema_(std::move(schema)) {}
  /// Throws std::invalid_argument on 2^32 - 1 rows or more, deleted ones counted.
  Snapshot(ModelInUse model, std::vector<Part> parts, KnownTuning tuned, std::uint64_t sequence,
           std::int64_t next_id, std::shared_ptr<const ColumnSchema> schema);

  /// Null before the first vector.
  const std::shared_ptr<const TrainedModel>& model() const { return used_.model; }
  const ModelInUse& used() const { return used_; }
  bool is_flat() const { return used_.is_flat; }
  const std::vector<Part>& parts() const { return parts_; }
  const Index& index() const { return *index_; }  ///< requires a model
  const KnownTuning& tuned() const { return tuned_; }
  std::uint64_t sequence() const { return sequence_; }  ///< of the last change
  std::int64_t next_id() const { return next_id_; }
  /// The columns of the collection, in the order in which they were given; never null. A part may
  /// lack some, whose values are NULL there.
  const std::shared_ptr<const ColumnSchema>& schema() const { return schema_; }
  std::size_t n() const;
  /// The slot of a key in the index, where ids are strings; kNoSlot: it is not there. Throws as
  /// find_key (part_keys.h, where it is defined).
  std::uint32_t slot_of_key(std::string_view key) const;
  /// Where an id is; no part: nowhere.
  std::optional<PartRow> find(std::int64_t id) const;

 private:
  ModelInUse used_;
  std::vector<Part> parts_;
  KnownTuning tuned_;
  std::unique_ptr<Index> index_;
  std::uint64_t sequence_ = 0;
  std::int64_t next_id_ = 0;
  std::shared_ptr<const ColumnSchema> schema_ = std::make_shared<const ColumnSchema>();
};

/// Parts with more of their rows deleted: copies of bitmaps, made when the first row comes.
class Deletion {
 public:
  explicit Deletion(std::vector<Part>& parts) : parts_(parts), own_(parts.size()) {}

  /// Deletes a row. Returns whether it was there.
  bool add(PartRow place);

 private:
  std::vector<Part>& parts_;
  std::vector<std::shared_ptr<RowBits>> own_;
};

}  // namespace obliq
