// Where a path that is to be written leads. Symbolic links are followed, to a file that is not
// there yet too. What is there and is no regular file (a pipe, a terminal, another device) is
// written as it is, and so are descriptors of this process, by whichever name: "/dev/stdout",
// "/dev/fd/5".
#pragma once

#include <string>

#include "storage/file_descriptor.h"

namespace obliq {

struct OutputTarget {
  /// Open for writing where the bytes go to what exists; otherwise a file is to be made:
  FileDescriptor sink;
  std::string folder;  ///< of the file, "." for the working directory
  std::string name;    ///< of the file in it
};

/// Opening a pipe waits for its reader. Throws std::invalid_argument where the path names no file,
/// std::system_error "path: cannot ..." for a folder, and for what cannot be opened.
OutputTarget find_output(const std::string& path);

/// A folder for temporary files on the way to `path`: that of the file or, where the path leads
/// elsewhere, the system's.
std::string staging_folder(const std::string& path);

}  // namespace obliq
