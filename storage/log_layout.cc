// Checks and checksums of the layout in storage/log_layout.h. Both slots are written when the log
// is made, before it has a name, and a sector reaches the disk whole or not at all: so a slot that
// does not hold, or is zero, is damage, never the trace of a writer that died.
#include "storage/log_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "storage/crc32c.h"
#include "storage/file_error.h"

namespace obliq {
namespace {

template <typename T>
std::span<const std::byte> bytes_of(const T& value) {
  return std::as_bytes(std::span(&value, 1));
}

std::uint32_t seed(std::uint64_t random, std::uint64_t offset) noexcept {
  const std::uint64_t both[] = {random, offset};
  return crc32c(std::as_bytes(std::span(both)));
}

template <typename T>
T load(std::span<const std::byte> bytes, std::uint64_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

std::string fault_of_header(const LogHeader& header, std::uint64_t owner) {
  if (log_header_crc(header) != header.crc) return "checksum mismatch";
  if (header.version != kLogVersion) {
    return fmt::format(
        "format version {}; this obliq reads version {}: it was written by a newer one, take that",
        header.version, kLogVersion);
  }
  if (header.first_seq == 0) return "numbers of records begin with 1";
  if (header.owner != owner) {
    return fmt::format("a log of {:016x}, not of {:016x}", header.owner, owner);
  }
  return {};
}

}  // namespace

bool is_zero(std::span<const std::byte> bytes) noexcept {
  if (bytes.empty()) return true;
  return bytes.front() == std::byte{0} &&
         std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

std::uint32_t log_header_crc(const LogHeader& header) noexcept {
  return crc32c(bytes_of(header).first(offsetof(LogHeader, crc)));
}

std::uint32_t log_slot_crc(const LogSlot& slot, std::uint64_t random,
                           std::uint64_t offset) noexcept {
  return crc32c(bytes_of(slot).first(offsetof(LogSlot, crc)), seed(random, offset));
}

std::uint32_t log_record_crc(std::span<const std::byte> record, std::uint64_t random,
                             std::uint64_t offset) noexcept {
  constexpr std::size_t kCrc = offsetof(LogRecordHead, crc);
  const std::uint32_t before = crc32c(record.first(kCrc), seed(random, offset));
  return crc32c(record.subspan(kCrc + sizeof(LogRecordHead::crc)), before);
}

LogSlot sealed_slot(std::uint64_t seq, std::uint64_t bytes, std::uint64_t random,
                    std::size_t slot) {
  LogSlot sealed{seq, bytes, 0, 0};
  sealed.crc = log_slot_crc(sealed, random, slot_offset(slot));
  return sealed;
}

std::array<std::byte, kLogHeadBytes> make_log_head(std::uint64_t random, std::uint64_t first_seq,
                                                   std::uint64_t owner) {
  LogHeader header{};
  std::memcpy(header.magic, kLogMagic, sizeof kLogMagic);
  header.version = kLogVersion;
  header.random = random;
  header.first_seq = first_seq;
  header.owner = owner;
  header.crc = log_header_crc(header);
  std::array<std::byte, kLogHeadBytes> head{};
  std::memcpy(head.data(), &header, sizeof header);
  for (const std::size_t number : {0, 1}) {
    const LogSlot slot = sealed_slot(first_seq - 1, kLogHeadBytes, random, number);
    std::memcpy(head.data() + slot_offset(number), &slot, sizeof slot);
  }
  return head;
}

std::string_view fault_of_slot(std::span<const std::byte> head, std::uint64_t random,
                               std::size_t slot) {
  const std::uint64_t offset = slot_offset(slot);
  const auto read = load<LogSlot>(head, offset);
  if (log_slot_crc(read, random, offset) != read.crc) return "checksum mismatch";
  if (!is_zero(head.subspan(offset, kLogSectorBytes).subspan(offsetof(LogSlot, zeros)))) {
    return "reserved bytes are not zero";
  }
  return {};
}

LogHead check_log_head(const std::string& path, std::span<const std::byte> head,
                       std::uint64_t owner) {
  const auto damaged = [&path](std::string_view reason) {
    throw_damaged(path, "header", 0, reason);
  };
  if (head.empty()) damaged("the file is empty");
  if (std::memcmp(head.data(), kLogMagic, std::min(sizeof kLogMagic, head.size())) != 0) {
    damaged("not a log of obliq");
  }
  if (head.size() < kLogHeadBytes) {
    damaged(fmt::format("the file has {} bytes, the head of a log alone takes {}", head.size(),
                        kLogHeadBytes));
  }
  LogHead read{load<LogHeader>(head, 0), {}};
  if (const auto fault = fault_of_header(read.header, owner); !fault.empty()) damaged(fault);
  const bool reserved =
      read.header.zeros == 0 &&
      is_zero(head.first(slot_offset(0)).subspan(offsetof(LogHeader, more_zeros)));
  if (!reserved || !is_zero(head.subspan(slot_offset(2)))) damaged("reserved bytes are not zero");
  for (const std::size_t slot : {0, 1}) {
    const auto fault = fault_of_slot(head, read.header.random, slot);
    if (!fault.empty()) throw_damaged(path, "slot", slot_offset(slot), fault);
    read.slots[slot] = load<LogSlot>(head, slot_offset(slot));
  }
  return read;
}

}  // namespace obliq
