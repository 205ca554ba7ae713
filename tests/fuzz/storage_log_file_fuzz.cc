// Reads arbitrary bytes as a log, in memory. An input is what a log has besides its zeros, so that
// it is short; the checksums of its parts are mended where the first byte says so, since otherwise
// hardly an input would get past them:
//
//     flags, uint8: 1 mend the header, 2 the slots, 4 the records, 8 their numbers as well, 16 put
//                   a byte at any place of the head
//     place, uint16 and byte, uint8, for flag 16 | header, 40 bytes | slots, 16 bytes each |
//     records
//
// Whatever is taken must be sound: numbers without a gap, slots at the ends of records, the same
// bytes when the records are written again, and the same records when the torn tail is cut off.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "tests/storage/log_image.h"

namespace obliq {
namespace {

/// A fuzz target's assertion: true in every build, ended by the fuzzer's own report.
void require(bool holds) {
  if (!holds) std::abort();
}

/// The bytes of an input, zeros behind its end.
class Input {
 public:
  explicit Input(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  void take(void* out, std::size_t count) {
    const std::size_t present = std::min(count, bytes_.size());
    if (present > 0) std::memcpy(out, bytes_.data(), present);
    bytes_ = bytes_.subspan(present);
  }
  template <typename T>
  T take() {
    T value{};
    take(&value, sizeof value);
    return value;
  }
  std::span<const std::uint8_t> rest() const { return bytes_; }

 private:
  std::span<const std::uint8_t> bytes_;
};

constexpr int kMendHeader = 1;
constexpr int kMendSlots = 2;
constexpr int kMendRecords = 4;
constexpr int kMendNumbers = 8;
constexpr int kStrayByte = 16;

void mend_records(Bytes& log, const LogHeader& header, bool numbers) {
  std::uint64_t seq = header.first_seq;
  for (std::size_t at = kLogHeadBytes; log.size() - at >= sizeof(LogRecordHead); ++seq) {
    LogRecordHead head;
    std::memcpy(&head, log.data() + at, sizeof head);
    const std::uint64_t bytes = log_record_bytes(head.bytes);
    if (bytes > log.size() - at) return;
    if (numbers) head.seq = seq;
    std::memcpy(log.data() + at, &head, sizeof head);
    head.crc =
        log_record_crc(std::span<const std::byte>(log).subspan(at, bytes), header.random, at);
    std::memcpy(log.data() + at, &head, sizeof head);
    at += bytes;
  }
}

Bytes make_log(std::span<const std::uint8_t> bytes, std::uint64_t& owner) {
  Input input(bytes);
  const int flags = input.take<std::uint8_t>();
  const std::size_t place = input.take<std::uint16_t>() % kLogHeadBytes;
  const auto stray = input.take<std::byte>();
  LogHeader header{};
  input.take(&header, offsetof(LogHeader, crc));
  if ((flags & kMendHeader) != 0) {
    std::memcpy(header.magic, kLogMagic, sizeof kLogMagic);
    header.crc = log_header_crc(header);
  }
  owner = header.owner;
  Bytes log(kLogHeadBytes);
  std::memcpy(log.data(), &header, sizeof header);
  for (const std::size_t number : {0, 1}) {
    const auto seq = input.take<std::uint64_t>();
    const auto end = input.take<std::uint64_t>();
    set_slot(log, (flags & kMendSlots) != 0 ? header.random : 0, number, seq, end);
  }
  if ((flags & kStrayByte) != 0) log[place] = stray;
  for (const std::uint8_t byte : input.rest()) log.push_back(std::byte{byte});
  if ((flags & kMendRecords) != 0) mend_records(log, header, (flags & kMendNumbers) != 0);
  return log;
}

void expect_sound(const Bytes& log, std::uint64_t owner, const LogRecords& records,
                  const LogEnd& end) {
  LogHeader header;
  std::memcpy(&header, log.data(), sizeof header);
  require(end.next.seq == header.first_seq + records.size());
  require(end.next.offset >= kLogHeadBytes && end.next.offset + end.torn_bytes == log.size());
  Bytes again = empty_log(header.random, header.first_seq, owner);
  std::uint64_t seq = header.first_seq;
  std::size_t slots = 0;
  for (std::size_t i = 0; i <= records.size(); ++i) {
    for (const std::size_t number : {0, 1}) {
      LogSlot slot;
      std::memcpy(&slot, log.data() + slot_offset(number), sizeof slot);
      if (slot.bytes != again.size()) continue;
      set_slot(again, header.random, number, slot.seq, slot.bytes);
      require(slot.seq + 1 == seq);
      ++slots;
    }
    if (i < records.size()) add_record(again, header.random, seq++, records[i]);
  }
  require(slots == 2);
  require(again.size() == end.next.offset);
  require(std::memcmp(again.data(), log.data(), again.size()) == 0);
  LogRecords without_tail;
  const LogEnd same = replay_log("again", again, owner, collect(without_tail));
  require(same.torn_bytes == 0 && without_tail == records);
}

}  // namespace
}  // namespace obliq

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::uint64_t owner = 0;
  const obliq::Bytes log = obliq::make_log({data, size}, owner);
  obliq::LogRecords records;
  obliq::LogEnd end{};
  try {
    end = obliq::replay_log("input", log, owner, obliq::collect(records));
  } catch (const std::runtime_error& error) {
    obliq::require(std::string_view(error.what()).starts_with("input: "));
    return 0;
  }
  obliq::expect_sound(log, owner, records, end);
  return 0;
}
