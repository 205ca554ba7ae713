// Reading a write-ahead log (byte layout: docs/file_format.md): records, numbered without a gap,
// of bytes whose meaning is the caller's. Up to where the newer slot reaches all must be whole, or
// the log is refused; beyond, the first record that is not whole ends it, and the rest is the torn
// tail of a writer that died.
//
// A log may be read while another process appends to it: a reader takes what is whole, and goes
// on from there later. What it has taken may be not synced yet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "storage/input_file.h"

namespace obliq {

/// Where a record begins, or will, and its number.
struct LogPlace {
  std::uint64_t offset;
  std::uint64_t seq;
};

struct LogEnd {
  LogPlace next;             ///< behind the last whole record
  std::uint64_t torn_bytes;  ///< from there to the end of the file
};

/// Gets each record; the payload's bytes stay until it returns. What it throws ends the reading.
using LogTake =
    std::function<void(std::uint64_t seq, std::uint8_t type, std::span<const std::byte> payload)>;

class LogReader {
 public:
  /// Opens the log and checks all that stands before the records. Throws std::system_error where
  /// it cannot be read; std::runtime_error "path: part at offset n: reason" where it is damaged,
  /// no log, or one of another owner.
  LogReader(std::string path, std::uint64_t owner);

  const std::string& path() const { return file_.path(); }
  /// The open file, which stays readable when it is removed.
  const InputFile& file() const { return file_; }
  /// The first record.
  LogPlace start() const { return start_; }
  /// Gives the records from `from` on, a place where a record begins, to `take`. Takes memory for
  /// the largest one. Throws as the constructor does.
  LogEnd replay(LogPlace from, const LogTake& take) const;
  /// All of them.
  LogEnd replay(const LogTake& take) const { return replay(start_, take); }

 private:
  InputFile file_;
  std::uint64_t owner_;
  LogPlace start_;
};

/// The same for the bytes of a log in memory; `name` stands for the path in messages.
LogEnd replay_log(const std::string& name, std::span<const std::byte> log, std::uint64_t owner,
                  const LogTake& take);

}  // namespace obliq
