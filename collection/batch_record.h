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
//
// A removal is its ids, int64 each: those inside, where ids are strings. Many vectors at once are a
// file, and the log names it: a SegmentRecord, 64 bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "index/build/encoded_vectors.h"

namespace obliq {

enum class ChangeKind : std::uint8_t {
  add = 1,
  remove = 2,
  add_segment = 3,
  add_keyed = 4,  ///< of a collection whose ids are strings
};

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

/// Reads a batch of this model, `add` or `add_keyed`. Throws std::runtime_error telling what is
/// wrong with it, for a message that names the file.
EncodedBatch read_batch(std::span<const std::byte> bytes, const TrainedModel& model,
                        ChangeKind kind = ChangeKind::add);
/// Reads the ids of a removal. Throws as read_batch.
std::vector<std::int64_t> read_removal(std::span<const std::byte> bytes);

}  // namespace obliq
