// A whole file in memory, read-only. Mapped, the bytes are those of the page cache: opening costs
// nothing but the mapping, and processes that map the same file share its memory. Read into memory
// of its own, it lies on huge pages where the system has them, which spares address translations.
//
// The file must not be cut while it is mapped: reading past its new end raises SIGBUS. Writers of
// this project never do that, they replace files (storage/atomic_file.h), and a replaced file stays
// readable here until it is unmapped.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "storage/file_descriptor.h"

namespace obliq {

enum class Loading { mapped, memory };

class MappedFile {
 public:
  /// Maps or reads the regular file `path`; an empty file gives no bytes. Throws std::system_error
  /// naming the path when it cannot be read or is a folder, pipe or device.
  explicit MappedFile(std::string path, Loading loading = Loading::mapped);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const std::string& path() const { return path_; }
  std::span<const std::byte> bytes() const { return bytes_; }

  /// Throws std::runtime_error if the file has been cut since it was mapped.
  void check_not_cut() const;
  /// Asks the system to read a part ahead. Requires the part to lie within bytes().
  void prefetch(std::span<const std::byte> part) const noexcept;

 private:
  void map(std::size_t size);
  void read(std::size_t size);

  std::string path_;
  FileDescriptor file_;
  std::span<const std::byte> bytes_;
};

}  // namespace obliq
