// A file mapped into memory, to be read.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace obliq::datasets {

/// Bytes of a file, or of a test, with the name that errors give them.
struct FileBytes {
  std::span<const std::uint8_t> bytes;
  std::string name;
};

/// Keeps a file mapped while it lives. The file must not shrink meanwhile: the system would end
/// the process at the next look.
class MappedFile {
 public:
  /// Throws std::system_error when the file cannot be read or is no regular file.
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const FileBytes& file() const { return file_; }

 private:
  FileBytes file_;
};

}  // namespace obliq::datasets
