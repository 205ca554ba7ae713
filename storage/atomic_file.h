// The one way in which files are written: indexes, sets, results, charts. What `path` names is
// replaced whole or not at all. Bytes go to a temporary file in the same folder
// (storage/temporary_file.h); commit syncs it, renames it over `path` and syncs the folder.
// Whenever the process dies, `path` holds the old bytes or the new ones, never a mixture. Owner,
// group and permissions of a file that was there stay.
//
// Pipes, devices and descriptors such as /dev/stdout cannot be replaced (storage/output_target.h):
// they get the bytes as they come or, from a writer that goes back, at commit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/file_descriptor.h"
#include "storage/temporary_file.h"

namespace obliq {

/// Every failed system call throws std::system_error "path: cannot <operation>: ..." after removing
/// the temporary file; later calls, and calls after commit, throw std::invalid_argument. An error
/// for want of room tells how many bytes are needed.
class AtomicFile {
 public:
  /// Whether bytes are only appended, or also read and written at any place.
  enum class Access { sequential, random };

  /// Removes what dead processes have left in the folder and makes the temporary file. Throws
  /// std::invalid_argument where the path names no file, std::system_error where nothing can be
  /// written there, or the owner of the file that is there could not be kept.
  explicit AtomicFile(std::string path, Access access = Access::sequential);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// Adds at the end, through a buffer: a full disk may show in a later call.
  void append(std::span<const std::byte> bytes);
  /// Tells how many bytes there will be, for the message that there is no room for them.
  void expect(std::uint64_t bytes) { expected_ = bytes; }
  /// Makes the bytes the content of `path`. When only the folder could not be synced, the error
  /// says that the new file is in place.
  void commit();
  /// Bytes so far.
  std::uint64_t size() const { return size_; }

  // What follows needs random access.
  /// Writes at any offset; a gap before it is filled with zeros.
  void write_at(std::uint64_t offset, std::span<const std::byte> bytes);
  /// Reads what was written; zeros beyond the end.
  void read_at(std::uint64_t offset, std::span<std::byte> out);
  /// What was written so far, mapped. Valid as long as this.
  std::span<const std::byte> view();

 private:
  void create_temporary(const std::string& folder);
  void keep_owner();
  void require_open() const;
  void make_room(std::size_t bytes);
  void flush();
  void write_through();
  void replace();
  int fd() const { return temporary_.is_open() ? temporary_.fd() : sink_.get(); }
  void check(int error, std::string_view operation);
  [[noreturn]] void fail(std::string_view operation, int error);

  std::string path_;  // as given, for messages
  std::string name_;  // within folder_
  FileDescriptor folder_;
  FileDescriptor sink_;      // open: takes the bytes, and nothing is replaced
  TemporaryFile temporary_;  // without one the bytes go to the sink at once
  std::vector<std::span<const std::byte>> views_;
  std::vector<std::byte> buffer_;  // what stands before size_ and is not written yet
  std::uint64_t size_ = 0;
  std::uint64_t expected_ = 0;
  bool open_ = true;
};

}  // namespace obliq
