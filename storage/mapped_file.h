// A whole file as bytes in memory, read-only. Mapped, they are those of the page cache: opening
// costs nothing but the mapping, and processes that map the same file share its memory. Read into
// memory of its own, they lie on huge pages where the system has them, which spares address
// translations.
//
// A file must not be cut while it is mapped, nor its disk fail: touching bytes that cannot be read
// raises SIGBUS. Writers of this project never cut files, they replace them
// (storage/atomic_file.h), and a replaced file stays readable here until it is unmapped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "storage/input_file.h"

namespace obliq {

enum class Loading { mapped, memory };

/// How the bytes of a part will be read: by places far from each other, or from begin to end.
enum class Access { random, sequential };

class MappedFile {
 public:
  /// Maps the regular file `path`; an empty file gives no bytes. Throws as InputFile does.
  explicit MappedFile(std::string path);
  /// Maps the file, or with Loading::memory finds memory for as many bytes: zeros until load().
  MappedFile(InputFile file, Loading loading);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const std::string& path() const { return file_.path(); }
  const InputFile& file() const { return file_; }
  std::span<const std::byte> bytes() const { return bytes_; }
  bool is_mapped() const { return loading_ == Loading::mapped; }

  /// Reads bytes [offset, offset + count) into the memory. Requires Loading::memory. Throws as
  /// InputFile::read does.
  void load(std::uint64_t offset, std::size_t count, std::string_view part);
  /// Tells the system how a part of the mapped bytes will be read, which decides how much it reads
  /// around what is touched. Only advice: failure is not noticed.
  void advise(std::span<const std::byte> part, Access access) const noexcept;

 private:
  InputFile file_;
  Loading loading_;
  std::span<const std::byte> bytes_;
};

}  // namespace obliq
