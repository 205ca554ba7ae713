// Replaces a file whole or not at all. Bytes go to "<path>.tmp-<pid>-<number>" in the same folder;
// commit syncs it, renames it over `path` and syncs the folder. Whenever the process dies, `path`
// holds the old bytes or the new ones, never a mixture.
//
// A killed process leaves its temporary file behind. Nothing reads it; it may be deleted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/file_descriptor.h"

namespace obliq {

/// Every failed system call throws std::system_error "path: cannot <operation>: ..." after removing
/// the temporary file; later calls, and calls after commit, throw std::invalid_argument.
class AtomicFile {
 public:
  /// Makes the temporary file. An existing `path` must be a regular file; its permissions are kept,
  /// and where `path` is a symbolic link the file it points to is the one replaced.
  explicit AtomicFile(std::string path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// Adds at the end, through a buffer: a full disk may show in a later call.
  void append(std::span<const std::byte> bytes);
  /// Replaces bytes appended before. Requires offset + bytes.size() <= size().
  void overwrite(std::uint64_t offset, std::span<const std::byte> bytes);
  /// What was appended so far, mapped. Valid as long as this.
  std::span<const std::byte> view();
  /// Where a library that opens files by itself may write the content instead of append(). It must
  /// keep the file, truncating it at the most, and close it before commit().
  std::string temporary_path() const;
  /// Makes the bytes appended the content of `path`. If it throws because the folder could not be
  /// synced, `path` has been replaced already.
  void commit();

  /// Bytes appended so far.
  std::uint64_t size() const { return size_; }

 private:
  void create_temporary();
  void keep_permissions();
  void require_open() const;
  void flush();
  void write_at_end(std::span<const std::byte> bytes);
  void discard() noexcept;
  [[noreturn]] void fail(std::string_view operation);

  std::string path_;  // as given, for messages
  std::string folder_path_;
  std::string name_;       // within folder_
  std::string temporary_;  // within folder_; empty once renamed or removed
  FileDescriptor folder_;
  FileDescriptor file_;
  std::vector<std::span<const std::byte>> views_;
  std::vector<std::byte> buffer_;
  std::uint64_t size_ = 0;
};

}  // namespace obliq
