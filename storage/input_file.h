// A regular file that is read by parts. Reading through the system, unlike reading mapped memory,
// turns a disk that cannot be read into an error, and what was read stays as it is whatever becomes
// of the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "storage/file_descriptor.h"

namespace obliq {

class InputFile {
 public:
  /// Opens the regular file `path`, without reading it. Throws std::system_error naming the path
  /// when it cannot be opened or is a folder, pipe or device.
  explicit InputFile(std::string path);

  const std::string& path() const { return path_; }
  int descriptor() const { return file_.get(); }
  std::uint64_t size() const { return size_; }  ///< in bytes, when it was opened

  /// Fills `out` from `offset` on. Requires the bytes to lie within size(), or to
  /// have been written since. Throws
  /// std::system_error "path: cannot read <part> at offset n: meaning", with the offset where the
  /// disk failed, or as check_not_cut.
  void read(std::uint64_t offset, std::span<std::byte> out, std::string_view part) const;
  /// Throws std::runtime_error if the file has been cut since it was opened.
  void check_not_cut() const;

 private:
  std::string path_;
  FileDescriptor file_;
  std::uint64_t size_ = 0;
};

}  // namespace obliq
