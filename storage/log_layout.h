// The bytes of a log, as structs that are copied to and from the file. Private to storage/.
//
//   0       header, then zeros
//   512     slot 0, then zeros: alone in its sector, which a disk writes whole or not at all
//   1024    slot 1, then zeros up to 4096
//   4096    records, each right after the padding of the one before, up to the end
//
// A record is a head of 24 bytes, a payload, and zeros up to a multiple of 8. Checksums of slots
// and records go on from one of the log's random number and the offset: bytes from another place,
// or from another log that had this place on the disk before, are never taken for a record.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace obliq {

static_assert(std::endian::native == std::endian::little, "the structs below are the file's bytes");

inline constexpr std::uint32_t kLogVersion = 1;
inline constexpr char kLogMagic[8] = {'O', 'B', 'L', 'I', 'Q', 'L', 'G', '\0'};
inline constexpr std::uint64_t kLogHeadBytes = 4096;
inline constexpr std::uint64_t kLogSectorBytes = 512;
inline constexpr std::uint64_t kLogMaxPayload = 1'000'000'000;  // bytes of a record

/// magic, version and crc stay in their places in every format version.
struct LogHeader {
  char magic[8];
  std::uint32_t version;
  std::uint32_t zeros;
  std::uint64_t random;     // drawn when the log is made
  std::uint64_t first_seq;  // number of the first record, not 0
  std::uint64_t owner;      // whose log it is, as that says
  std::uint32_t crc;        // of the 40 bytes before it
  std::uint32_t more_zeros;
};
static_assert(sizeof(LogHeader) == 48 && offsetof(LogHeader, crc) == 40);

/// Says that the log is whole up to `bytes`, where record `seq` ends.
struct LogSlot {
  std::uint64_t seq;  // the first number less 1: no record
  std::uint64_t bytes;
  std::uint32_t crc;  // of the 16 bytes before it
  std::uint32_t zeros;
};
static_assert(sizeof(LogSlot) == 24 && offsetof(LogSlot, crc) == 16);

struct LogRecordHead {
  std::uint32_t bytes;  // of the payload
  std::uint32_t crc;    // of all other bytes of the record, padding included
  std::uint64_t seq;
  std::uint8_t type;
  std::uint8_t zeros[7];
};
static_assert(sizeof(LogRecordHead) == 24);

/// What stands before the records.
struct LogHead {
  LogHeader header;
  std::array<LogSlot, 2> slots;

  /// The number of the slot that reaches farther, 1 where both reach as far.
  std::size_t newest() const { return slots[0].bytes > slots[1].bytes ? 0 : 1; }
};

constexpr std::uint64_t slot_offset(std::size_t slot) { return kLogSectorBytes * (1 + slot); }

/// Bytes of a record with a payload of `payload` bytes.
constexpr std::uint64_t log_record_bytes(std::uint64_t payload) {
  return (sizeof(LogRecordHead) + payload + 7) / 8 * 8;
}

/// True where all bytes are zeros.
bool is_zero(std::span<const std::byte> bytes) noexcept;

std::uint32_t log_header_crc(const LogHeader& header) noexcept;
std::uint32_t log_slot_crc(const LogSlot& slot, std::uint64_t random,
                           std::uint64_t offset) noexcept;
/// Of a whole record, whose own checksum is left out. Requires at least a head.
std::uint32_t log_record_crc(std::span<const std::byte> record, std::uint64_t random,
                             std::uint64_t offset) noexcept;

/// A slot with its checksum, as slot number `slot`.
LogSlot sealed_slot(std::uint64_t seq, std::uint64_t bytes, std::uint64_t random, std::size_t slot);

/// The head of a log without records.
std::array<std::byte, kLogHeadBytes> make_log_head(std::uint64_t random, std::uint64_t first_seq,
                                                   std::uint64_t owner);

/// Why slot number `slot` cannot be believed; empty: it can. Requires a whole head.
std::string_view fault_of_slot(std::span<const std::byte> head, std::uint64_t random,
                               std::size_t slot);

/// Checks the first bytes of a log of `owner`: as many as are there, kLogHeadBytes at most. Throws
/// std::runtime_error "path: part at offset n: reason".
LogHead check_log_head(const std::string& path, std::span<const std::byte> head,
                       std::uint64_t owner);

}  // namespace obliq
