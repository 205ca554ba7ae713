// A record counts when its place, its number, its zeros and its checksum agree; its size is first
// compared with the bytes that are there. Slots are read before the size of the file, and this
// before the records: a writer goes the other way, so what a slot covers is there.
#include "storage/log_reader.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "storage/file_error.h"
#include "storage/log_layout.h"
#include "storage/write_all.h"

namespace obliq {
namespace {

constexpr std::uint64_t kWindowBytes = std::uint64_t{256} << 10;  // read at a time, at least
constexpr int kSlotReads = 4;

/// The bytes of a log in memory.
class LogInMemory {
 public:
  explicit LogInMemory(std::span<const std::byte> bytes) : bytes_(bytes) {}

  std::uint64_t size() const { return bytes_.size(); }
  std::span<const std::byte> view(std::uint64_t offset, std::uint64_t count) const {
    return bytes_.subspan(offset, count);
  }

 private:
  std::span<const std::byte> bytes_;
};

/// The bytes of a file, as many as it has now; zeros where it is cut meanwhile.
class LogInFile {
 public:
  explicit LogInFile(const InputFile& file) : file_(file) {
    struct stat status {};
    if (::fstat(file.descriptor(), &status) != 0) {
      throw_system_error(file.path(), "read its status");
    }
    size_ = static_cast<std::uint64_t>(status.st_size);
  }

  std::uint64_t size() const { return size_; }

  /// Bytes that stay until the next call.
  std::span<const std::byte> view(std::uint64_t offset, std::uint64_t count) {
    if (offset < start_ || offset + count > start_ + window_.size()) {
      window_.resize(std::min(std::max(count, kWindowBytes), size_ - offset));
      start_ = offset;
      const int error = read_all_at(file_.descriptor(), offset, window_);
      if (error != 0) {
        window_.clear();
        throw_system_error(file_.path(), fmt::format("read from offset {} on", offset), error);
      }
    }
    return std::span<const std::byte>(window_).subspan(offset - start_, count);
  }

 private:
  const InputFile& file_;
  std::uint64_t size_ = 0;
  std::uint64_t start_ = 0;
  std::vector<std::byte> window_;
};

struct Record {
  LogRecordHead head{};
  std::span<const std::byte> payload;
  std::string_view fault;  // empty: the record is whole
};

template <typename Log>
class Replay {
 public:
  Replay(const std::string& path, const LogHead& head, Log log)
      : path_(path), head_(head), log_(std::move(log)) {}

  LogEnd run(LogPlace at, const LogTake& take) {
    for (const std::size_t slot : {0, 1}) check_slot(slot);
    if (at.offset > log_.size()) {
      throw_damaged(path_, fmt::format("record {}", at.seq), at.offset,
                    fmt::format("the file has {} bytes", log_.size()));
    }
    while (true) {
      check_slots_at(at);
      const Record record = read(at);
      if (!record.fault.empty()) break;
      take(at.seq, record.head.type, record.payload);
      const LogPlace next{at.offset + log_record_bytes(record.head.bytes), at.seq + 1};
      check_slots_between(at, next);
      at = next;
    }
    return {at, log_.size() - at.offset};
  }

 private:
  void check_slot(std::size_t slot) const {
    const std::uint64_t bytes = head_.slots[slot].bytes;
    if (bytes >= kLogHeadBytes && bytes <= log_.size()) return;
    throw_damaged(
        path_, "slot", slot_offset(slot),
        fmt::format("the log should be whole up to {}, the file has {} bytes", bytes, log_.size()));
  }

  void check_slots_at(LogPlace at) const {
    for (const LogSlot& slot : head_.slots) {
      if (slot.bytes != at.offset || slot.seq + 1 == at.seq) continue;
      throw_damaged(path_, "records", at.offset,
                    fmt::format("number {} comes next, a slot says {}", at.seq, slot.seq + 1));
    }
  }

  void check_slots_between(LogPlace at, LogPlace next) const {
    for (const LogSlot& slot : head_.slots) {
      if (slot.bytes <= at.offset || slot.bytes >= next.offset) continue;
      throw_damaged(path_, fmt::format("record {}", at.seq), at.offset,
                    fmt::format("ends at {}, a slot says {}", next.offset, slot.bytes));
    }
  }

  /// The record at `at`. Where it must be whole and is not, throws.
  Record read(LogPlace at) {
    Record record;
    record.fault = fill(record, at);
    const std::uint64_t whole = head_.slots[head_.newest()].bytes;
    if (!record.fault.empty() && at.offset < whole) {
      throw_damaged(path_, fmt::format("record {}", at.seq), at.offset, record.fault);
    }
    return record;
  }

  std::string_view fill(Record& record, LogPlace at) {
    constexpr std::string_view kCut = "the file ends within it";
    const std::uint64_t left = log_.size() - at.offset;
    if (left < sizeof record.head) return kCut;
    std::memcpy(&record.head, log_.view(at.offset, sizeof record.head).data(), sizeof record.head);
    if (record.head.seq != at.seq) return "another number";
    if (record.head.bytes > kLogMaxPayload) return "larger than records are";
    const std::uint64_t bytes = log_record_bytes(record.head.bytes);
    if (bytes > left) return kCut;
    const auto whole = log_.view(at.offset, bytes);
    if (std::memcmp(whole.data(), &record.head, sizeof record.head) != 0) return "it changes";
    const auto behind = whole.subspan(sizeof record.head);
    if (log_record_crc(whole, head_.header.random, at.offset) != record.head.crc) {
      return "checksum mismatch";
    }
    if (!is_zero(std::as_bytes(std::span(record.head.zeros))) ||
        !is_zero(behind.subspan(record.head.bytes))) {
      return "reserved bytes are not zero";
    }
    record.payload = behind.first(record.head.bytes);
    return {};
  }

  const std::string& path_;
  const LogHead& head_;
  Log log_;
};

/// A writer may be at work on a slot while it is read; what stays wrong is wrong.
LogHead read_head(const InputFile& file, std::uint64_t owner) {
  const LogInFile now(file);
  std::vector<std::byte> head(std::min(now.size(), kLogHeadBytes));
  for (int reads = 1;; ++reads) {
    const int error = read_all_at(file.descriptor(), 0, head);
    if (error != 0) throw_system_error(file.path(), "read its header", error);
    LogHeader header{};
    if (!head.empty()) std::memcpy(&header, head.data(), std::min(sizeof header, head.size()));
    const bool in_doubt = head.size() == kLogHeadBytes && log_header_crc(header) == header.crc &&
                          (!fault_of_slot(head, header.random, 0).empty() ||
                           !fault_of_slot(head, header.random, 1).empty());
    if (!in_doubt || reads == kSlotReads) return check_log_head(file.path(), head, owner);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace

LogReader::LogReader(std::string path, std::uint64_t owner)
    : file_(std::move(path)),
      owner_(owner),
      start_{kLogHeadBytes, read_head(file_, owner_).header.first_seq} {}

LogEnd LogReader::replay(LogPlace from, const LogTake& take) const {
  const LogHead head = read_head(file_, owner_);
  return Replay(file_.path(), head, LogInFile(file_)).run(from, take);
}

LogEnd replay_log(const std::string& name, std::span<const std::byte> log, std::uint64_t owner,
                  const LogTake& take) {
  const LogHead head =
      check_log_head(name, log.first(std::min<std::uint64_t>(log.size(), kLogHeadBytes)), owner);
  return Replay(name, head, LogInMemory(log)).run({kLogHeadBytes, head.header.first_seq}, take);
}

}  // namespace obliq
