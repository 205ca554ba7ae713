// A file under a name of its own, ".obliq-tmp-<pid>-<number>", in the folder where it is to stay
// under another. It is locked (flock) as long as it has that name: a file of such a name on which
// anybody gets the lock was left behind by a process that died, in whichever container or on
// whichever host, and the next who makes a file in the folder removes it.
#pragma once

#include <string>
#include <utility>

#include "storage/file_descriptor.h"

namespace obliq {

class TemporaryFile {
 public:
  TemporaryFile() = default;
  /// Makes the file, mode 0644 less the umask, in the open folder, which must outlive the name.
  /// Where that fails is_open() is false, and errno tells why. On a file system without locks the
  /// file is not locked, and nobody removes it.
  explicit TemporaryFile(int folder);
  TemporaryFile(TemporaryFile&& other) noexcept { *this = std::move(other); }
  TemporaryFile& operator=(TemporaryFile&& other) noexcept;
  /// Removes the file if it has its first name still.
  ~TemporaryFile();

  bool is_open() const { return file_.is_open(); }
  int fd() const { return file_.get(); }

  // All return 0, or -1 with errno set.
  /// Takes the name away; the file stays until it is closed.
  int unlink() noexcept;
  /// Closes, which tells of writes that failed; name and lock stay.
  int close() noexcept;
  /// Renames the file over `name` in its folder.
  int rename_to(const std::string& name) noexcept;

  /// Gives away the open file, which stays locked. Requires that it has another name or none.
  FileDescriptor release() noexcept { return std::move(file_); }

 private:
  int create() noexcept;

  int folder_ = -1;
  std::string name_;  // empty: the file has none, or another
  FileDescriptor file_;
  FileDescriptor lock_;  // the same open file: holds the lock when file_ is closed
};

/// Removes the temporary files of dead processes from an open folder, as far as that is possible.
void remove_abandoned_files(int folder) noexcept;

}  // namespace obliq
