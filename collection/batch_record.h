// Changes as the payloads of log records. Vectors are logged as they were encoded, so that opening
// a collection encodes nothing:
//
//     0   u64 model | u64 vectors n | u64 spilled vectors s | i64 next id
//     32  ids, int64 [n]
//         lists, uint32 [n]; of the spilled ones which vector, uint32 [s], and second list [s]
//         numbers, 40 bytes [n], then [s]; signs, plane bytes [n], then [s]
//         codes, row bytes [n]; raw vectors [n]
//
//     behind it, where ids are strings: bytes of each key, uint32 [n]; the keys
//     before it, where values of columns come with them: u64 their bytes | the columns
//     (column_record.h)
//
// An update is such a batch with all columns: the vectors as they were encoded before, since the
// segment that they were in may lose them before the change is in a file. Numbers that are not
// stored (copied_rows.h) are told as there.
//
// A removal is its ids, int64 each: those inside, where ids are strings. Many vectors at once are a
// file, and the log names it: a SegmentRecord, 64 bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "index/build/encoded_vectors.h"
#include "obliq/columns.h"

namespace obliq {

enum class ChangeKind : std::uint8_t {
  add = 1,
  remove = 2,
  add_segment = 3,
  add_keyed = 4,  ///< of a collection whose ids are strings
  add_with_columns = 5,
  add_keyed_with_columns = 6,
  update = 7,
  update_keyed = 8,
};

/// What a batch is, apart from its vectors.
struct BatchKind {
  bool has_keys = false;
  bool has_columns = false;
  bool is_update = false;

  bool operator==(const BatchKind&) const = default;
};
/// Of such changes; none: no batch.
std::optional<BatchKind> batch_kind(std::uint8_t type);
ChangeKind change_kind(BatchKind kind);

/// Keys, one behind the other.
struct KeyList {
  std::vector<std::uint32_t> lengths;  ///< bytes of each
  std::string bytes;

  void add(std::string_view key);
  std::vector<std::string_view> views() const;  ///< valid while this is
};

struct EncodedBatch {
  std::vector<std::int64_t> ids;
  EncodedVectors vectors;
  KeyList keys;              ///< of the ids; none, where those are all there is
  std::int64_t next_id = 0;  ///< that a vector without an id gets after this batch
  bool is_update = false;    ///< the vectors were there before
};

/// A batch that was read.
struct ReadBatch {
  EncodedBatch batch;
  Columns columns;
};

/// Bytes before the first array of a batch, as stored.
struct BatchHead {
  std::uint64_t model = 0;
  std::uint64_t n = 0;
  std::uint64_t spilled = 0;
  std::int64_t next_id = 0;
};
static_assert(sizeof(BatchHead) == 32);

/// A segment's file that was written before its change was logged, as stored.
struct SegmentRecord {
  std::uint64_t model = 0;
  std::uint64_t number = 0;
  std::uint64_t bytes = 0;  ///< of the file
  std::uint64_t rows = 0;
  std::int64_t next_id = 0;
  std::uint32_t check = 0;       ///< CRC32C of the header of the file
  std::uint32_t keys_check = 0;  ///< of that of its keys, where ids are strings
  std::uint64_t zeros[2] = {};
};
static_assert(sizeof(SegmentRecord) == 64);

/// Reads one of this model. Throws as read_batch.
SegmentRecord read_segment_record(std::span<const std::byte> bytes, const TrainedModel& model);

/// The bytes of a batch, part by part; valid while batch and head are.
std::vector<std::span<const std::byte>> batch_bytes(const EncodedBatch& batch,
                                                    const BatchHead& head);
BatchHead batch_head(const EncodedBatch& batch, std::uint64_t model);

/// Reads a batch of this model, of a collection with these columns. Throws std::runtime_error
/// telling what is wrong with it, for a message that names the file.
ReadBatch read_batch(std::span<const std::byte> bytes, const TrainedModel& model,
                     const ColumnSchema& schema, BatchKind kind);
/// What read_batch checks of ids and vectors: an update takes them from files that may be damaged.
/// Throws likewise.
void check_batch(const EncodedBatch& batch, const TrainedModel& model);
/// Reads the ids of a removal. Throws as read_batch.
std::vector<std::int64_t> read_removal(std::span<const std::byte> bytes);

}  // namespace obliq
