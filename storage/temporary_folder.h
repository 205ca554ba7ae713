// A folder for files that are written and read again: its name cannot be guessed, only this
// user may read it, and it is removed with its files. It is locked while it lives: the next one
// that is made removes those that a process left behind when it died.
#pragma once

#include <string>

#include "storage/file_descriptor.h"

namespace obliq {

class TemporaryFolder {
 public:
  /// Where the system has its temporary files. Throws std::system_error when it cannot be made.
  TemporaryFolder();
  /// In another folder.
  explicit TemporaryFolder(const std::string& parent);
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }
  /// The path of a file in it.
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  bool create(const std::string& parent);

  std::string path_;
  FileDescriptor lock_;
};

}  // namespace obliq
