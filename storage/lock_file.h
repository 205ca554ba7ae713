// One writer for a folder: who holds the lock on the file LOCK in it (flock) may write there. The
// lock goes with the process that holds it, however that ends; the file stays, since removing it
// would let two take a lock each. It holds the process number as text, for messages.
#pragma once

#include <stdexcept>
#include <string>

#include "storage/file_descriptor.h"

namespace obliq {

/// Somebody has the lock.
struct LockHeld : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A child that the process forks has the lock, too, until it executes a program or ends.
class LockFile {
 public:
  /// Takes the lock, without waiting. Throws LockHeld naming file and holder where
  /// somebody has it, be it this process; std::system_error "path: cannot ..." where the file
  /// cannot be made, is a link or no regular file, or the file system knows no locks.
  explicit LockFile(const std::string& folder);

  const std::string& path() const { return path_; }
  /// Gives the lock back, also where children have it.
  void release() noexcept;

 private:
  void take();
  void write_holder() const;

  std::string path_;
  FileDescriptor file_;
};

}  // namespace obliq
