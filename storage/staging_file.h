// A staging file: bytes are appended first, then read back any number of times. They lie in memory
// or in a temporary file, which loses its name as soon as it is made, so that it vanishes with the
// process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "storage/temporary_file.h"

namespace obliq {

class StagingFile {
 public:
  /// In memory.
  StagingFile() = default;
  /// In a temporary file in `folder`. Throws std::system_error naming the folder when none can be
  /// made there.
  explicit StagingFile(const std::string& folder);

  bool in_memory() const { return !file_.is_open(); }
  std::uint64_t size() const { return size_; }
  /// Makes room for `bytes` in all, where they lie in memory.
  void reserve(std::uint64_t bytes);
  /// Adds at the end. Throws std::system_error on a full disk.
  void append(std::span<const std::uint8_t> bytes);
  /// The bytes [offset, offset + count): in memory the file's own bytes, else a copy in `buffer`.
  /// Requires that they were appended. Throws std::system_error.
  std::span<const std::uint8_t> read(std::uint64_t offset, std::size_t count,
                                     std::vector<std::uint8_t>& buffer) const;
  /// The same, to be changed at will; a copy's changes do not come back.
  std::span<std::uint8_t> edit(std::uint64_t offset, std::size_t count,
                               std::vector<std::uint8_t>& buffer);
  /// Copies them to `out`.
  void copy(std::uint64_t offset, std::size_t count, std::uint8_t* out) const;
  /// Forgets what lies in memory beyond `bytes`.
  void cut(std::uint64_t bytes);

 private:
  std::string folder_;  // for messages
  TemporaryFile file_;
  std::vector<std::uint8_t> bytes_;
  std::uint64_t size_ = 0;
};

}  // namespace obliq
