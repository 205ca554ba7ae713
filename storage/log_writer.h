// Writing a write-ahead log (storage/log_reader.h, docs/file_format.md). A record is one write, so
// that a process that is killed leaves whole records and the beginning of one. What sync has
// returned from outlives a power failure; a slot in the head of the file, written after the sync,
// says so, and is synced by the next one or by close.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/file_descriptor.h"
#include "storage/log_reader.h"

namespace obliq {

/// One writer for a log at a time, and one call for a writer: keeping others away is the caller's
/// matter. Failed system calls throw std::system_error "path: cannot <operation>: ...".
///
/// Once a sync has failed nobody knows what the disk holds, and the system takes the pages for
/// clean: so it is never tried again, and every later call throws, naming that failure.
class LogWriter {
 public:
  /// Makes the log `name` in `folder`, and syncs both. The name shows a whole head or nothing,
  /// whenever the process dies. `owner` is checked by readers. Throws std::system_error where the
  /// name is taken; std::invalid_argument for a first number of 0.
  static LogWriter create(const std::string& folder, const std::string& name, std::uint64_t owner,
                          std::uint64_t first_seq);
  /// Gives all records to `take`, cuts off a torn tail, and goes on behind them once they are
  /// synced. Throws as LogReader does.
  static LogWriter open_for_append(const std::string& path, std::uint64_t owner,
                                   const LogTake& take);

  const std::string& path() const { return path_; }
  /// Where the next record goes, and its number.
  LogPlace next() const { return next_; }
  /// Bytes of the log that outlive a power failure.
  std::uint64_t synced_bytes() const { return synced_; }

  /// Adds a record, the parts of its payload one behind the other, and returns its number. Throws
  /// std::invalid_argument for more than 1 GB. Where it cannot be written, what was written of it
  /// is cut off again, and the next call may succeed. Takes memory for the record.
  std::uint64_t append(std::uint8_t type, std::span<const std::span<const std::byte>> payload);
  std::uint64_t append(std::uint8_t type, std::span<const std::byte> payload) {
    return append(type, std::span(&payload, 1));
  }
  /// Returns when all records are on the disk.
  void sync();
  /// sync() in three steps, for a caller who lets others append during the second, which is the
  /// long one: `const LogPlace upto = begin_sync(); const int error = sync_data();
  /// end_sync(upto, error)`. One such sync at a time, and no close meanwhile. sync_data returns 0
  /// or what errno said.
  LogPlace begin_sync() const;
  int sync_data() const;
  void end_sync(LogPlace upto, int error);
  /// The same, with the slot that says so: damage of any record is then told from a torn tail.
  /// Later calls throw std::invalid_argument. Without it the file is closed as it is.
  void close();

 private:
  LogWriter(std::string path, FileDescriptor file, std::uint64_t random, LogPlace next);
  void take_over(std::uint64_t owner, const LogEnd& end);
  void encode(std::uint8_t type, std::span<const std::span<const std::byte>> payload);
  void write_again(std::uint64_t from);
  void write_slot(LogPlace upto);
  void require_sound() const;
  [[noreturn]] void cut_back(int error);
  [[noreturn]] void poison(std::string_view operation, int error);

  std::string path_;
  FileDescriptor file_;
  std::uint64_t random_;
  LogPlace next_;
  std::uint64_t synced_;
  std::size_t slot_ = 0;  // the one to write next: the older
  std::vector<std::byte> buffer_;
  std::string failed_operation_;
  int failure_ = 0;  // of the first call after which the file's bytes are unknown
};

}  // namespace obliq
