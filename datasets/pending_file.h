// A file in the making: written under a temporary name in the same folder, then renamed, so that
// its name never shows a half-written set.
#pragma once

#include <cstddef>
#include <cstdio>
#include <memory>
#include <string>

namespace obliq::datasets {

/// Reserves the temporary name. Not committed: removes what lies there.
class PendingFile {
 public:
  explicit PendingFile(std::string path);
  ~PendingFile();
  PendingFile(const PendingFile&) = delete;
  PendingFile& operator=(const PendingFile&) = delete;

  const std::string& path() const { return path_; }
  const std::string& temporary() const { return temporary_; }
  /// Renames the temporary file. Throws std::system_error. Call once.
  void commit();

 private:
  std::string path_;
  std::string temporary_;
};

/// A pending file of plain bytes.
class ByteWriter {
 public:
  /// Throws std::system_error when the temporary file cannot be made.
  explicit ByteWriter(std::string path);
  /// Adds bytes. Throws std::system_error on a full disk.
  void append(const void* bytes, std::size_t count);
  /// Flushes and renames. Call once.
  void commit();

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  PendingFile pending_;
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace obliq::datasets
