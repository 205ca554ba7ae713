// A folder for files that are written and read again: its name cannot be guessed, only this
// user may read it, and it is removed with its files.
#pragma once

#include <stdlib.h>  // NOLINT: mkdtemp is POSIX

#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>

namespace obliq {

class TemporaryFolder {
 public:
  /// Throws std::system_error when it cannot be made.
  TemporaryFolder() : path_((std::filesystem::temp_directory_path() / "obliq-XXXXXX").string()) {
    if (::mkdtemp(path_.data()) == nullptr) {
      throw std::system_error(errno, std::generic_category(), path_);
    }
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }
  /// The path of a file in it.
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace obliq
