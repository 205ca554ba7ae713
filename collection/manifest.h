// What a collection consists of, as one file that is written whole and never changed: the next
// version has the next number. A section file:
//
//     collection   ManifestInfo, 160 bytes
//     segments     SegmentEntry, 64 bytes each, from the oldest to the newest
//     tuning       ways to target recalls, where it is tuned
//     history      History, 128 bytes, what led here
//     schema       names and types of columns (column_schema.h), where there are some
//
// The bitmap of a segment's deleted rows is a section file of its own: `deleted`, uint64 words; its
// keys are another one (key_table.h), where ids are strings.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "collection/directory.h"
#include "index/segment/row_bits.h"
#include "obliq/collection.h"
#include "obliq/collection_stats.h"
#include "obliq/tuning.h"

namespace obliq {

/// The fixed numbers of a manifest, as stored.
struct ManifestInfo {
  std::uint64_t collection = 0;   ///< a random number: whose logs and bitmaps belong to it
  std::uint64_t version = 0;      ///< that of the file's name
  std::uint64_t sequence = 0;     ///< of the last change that is in segments and bitmaps
  std::uint64_t first_log = 0;    ///< the first log whose changes are not
  std::uint64_t next_number = 1;  ///< for a segment's or log's file
  std::int64_t next_id = 0;       ///< for a vector without one
  std::uint64_t model = 0;        ///< 0: none yet
  std::uint64_t dim = 0;
  std::uint64_t seed = 0;
  std::uint64_t train_at = 0;
  std::uint32_t metric = 0;
  std::uint16_t raw = 0;
  std::uint16_t is_flat = 0;  ///< 1: the model is one list of raw vectors
  float spill = 0;
  char quantizer[28] = {};
  std::uint64_t tuned_for = 0;  ///< vectors that were there when it was tuned; 0: it is not
  std::uint32_t ids = 0;        ///< IdType
  std::uint32_t zero = 0;
  std::uint64_t zeros[3] = {};
};
static_assert(sizeof(ManifestInfo) == 160);

/// A segment and its deleted rows, as stored.
struct SegmentEntry {
  std::uint64_t number = 0;
  std::uint64_t bytes = 0;  ///< of its file
  std::uint64_t rows = 0;
  std::uint64_t deleted_version = 0;  ///< 0: no row is deleted
  std::uint64_t deleted = 0;          ///< rows
  std::uint32_t check = 0;            ///< CRC32C of the header of its file
  std::uint32_t deleted_check = 0;    ///< of the header of the bitmap's
  std::uint32_t keys_check = 0;       ///< of the header of the keys' file; ids are strings
  std::uint32_t zero = 0;
  std::uint64_t zeros[1] = {};
};
static_assert(sizeof(SegmentEntry) == 64);

/// What statistics tell of the time before, as stored.
struct History {
  /// Of all writers so far, in the order of CollectionCounters; the last one is below.
  std::array<std::uint64_t, sizeof(CollectionCounters) / 8 - 1> counters = {};
  std::uint64_t tuned_at = 0;  ///< seconds since 1970; 0: it is not tuned
  /// SegmentInfo::encoded and drift of the segment that was made when the model was trained.
  std::uint64_t trained_encoded = 0;
  std::uint64_t trained_drift = 0;
  std::uint64_t touched = 0;  ///< vectors added or removed since it was tuned, or somewhat more
  std::uint64_t updated = 0;  ///< CollectionCounters::updated
  std::uint64_t zero = 0;

  CollectionCounters all_counters() const;
  void set_counters(const CollectionCounters& all);
};
static_assert(sizeof(History) == 128);

struct Manifest {
  ManifestInfo info;
  History history;
  std::vector<SegmentEntry> segments;
  Tuning tuning;
  std::shared_ptr<const ColumnSchema> schema = std::make_shared<const ColumnSchema>();
};

/// Options that fit: what is not given is chosen. Throws std::invalid_argument, also on columns.
ManifestInfo manifest_of(const CollectionOptions& options);
/// The options that a collection has, none of them left out.
CollectionOptions options_of(const ManifestInfo& info, const ColumnSchema& schema);
/// What a model is trained with.
BuildOptions build_options(const ManifestInfo& info, int threads);

/// Writes version info.version, synced. Throws std::system_error.
void write_manifest(const CollectionDirectory& directory, const Manifest& manifest);
/// Throws std::runtime_error naming file, section and offset where it is damaged.
Manifest read_manifest(const CollectionDirectory& directory, std::uint64_t version);

void write_deleted(const std::string& path, const RowBits& rows);
/// Throws as read_manifest, also where it is of another number of rows.
std::shared_ptr<const RowBits> read_deleted(const std::string& path, std::uint64_t rows,
                                            std::uint64_t count);

/// CRC32C of the first 64 bytes of a section file, which cover the others' checksums.
std::uint32_t check_of_file(const std::string& path);

}  // namespace obliq
