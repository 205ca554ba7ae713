// One writer per folder: a file that is locked (flock) as long as the writer lives, whatever its
// end, and that tells its process.
#pragma once

#include <string>

#include "storage/file_descriptor.h"

namespace obliq {

class LockFile {
 public:
  /// Makes the file where it is not there, locks it and writes the number of this process into it.
  /// Links are not followed. Throws std::runtime_error "path: process n writes here ..." where
  /// another descriptor, of whichever process, has the lock; std::system_error where it cannot be
  /// made or locked.
  explicit LockFile(const std::string& path);

 private:
  FileDescriptor file_;
};

}  // namespace obliq
