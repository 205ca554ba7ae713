#include "storage/output_target.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <optional>
#include <stdexcept>

#include "storage/file_error.h"

namespace obliq {
namespace {

namespace fs = std::filesystem;

constexpr int kMostLinks = 40;  // as Linux has it

/// N of "/proc/self/fd/N", in any spelling; nothing for another path.
std::optional<int> own_descriptor(const fs::path& path) {
  const std::string name = path.filename().string();
  int number = 0;
  const char* end = name.data() + name.size();
  const auto parsed = std::from_chars(name.data(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end || name.front() == '-') return std::nullopt;
  std::error_code no_folder;
  const fs::path folder = fs::canonical(path.parent_path(), no_folder);
  if (no_folder) return std::nullopt;
  for (const char* own : {"/proc/self/fd", "/proc/thread-self/fd"}) {
    std::error_code no_proc;
    if (folder == fs::canonical(own, no_proc) && !no_proc) return number;
  }
  return std::nullopt;
}

FileDescriptor copy_of(int descriptor, const std::string& path) {
  FileDescriptor copy(::fcntl(descriptor, F_DUPFD_CLOEXEC, 0));
  if (!copy.is_open()) throw_system_error(path, "open");
  const int flags = ::fcntl(copy.get(), F_GETFL);
  if ((flags & O_ACCMODE) == O_RDONLY)
    throw_system_error(path, "write what is open to be read", EBADF);
  return copy;
}

FileDescriptor open_sink(const fs::path& at, const std::string& path) {
  FileDescriptor sink(::open(at.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC));
  if (!sink.is_open()) throw_system_error(path, "open");
  return sink;
}

void require_name(const std::string& path) {
  if (path.find('\0') != std::string::npos) {
    throw std::invalid_argument(
        fmt::format("'{}' has a zero byte, which no path may have", path.c_str()));
  }
  const std::string name = fs::path(path).filename().string();
  if (name.empty() || name == "." || name == "..") {
    throw std::invalid_argument(fmt::format("'{}' names no file; give a file's path", path));
  }
}

}  // namespace

OutputTarget find_output(const std::string& path) {
  require_name(path);
  OutputTarget target;
  fs::path at = path;
  for (int links = 0;; ++links) {
    if (const auto descriptor = own_descriptor(at)) {
      target.sink = copy_of(*descriptor, path);
      return target;
    }
    std::error_code no_link;
    const fs::path next = fs::read_symlink(at, no_link);
    if (no_link) break;
    if (links == kMostLinks) throw_system_error(path, "follow its links", ELOOP);
    at = at.parent_path() / next;
  }
  struct stat there {};
  const bool exists = ::stat(at.c_str(), &there) == 0;
  if (!exists && errno != ENOENT) throw_system_error(path, "read its status");
  if (exists && S_ISDIR(there.st_mode)) throw_system_error(path, "write a file over it", EISDIR);
  if (exists && !S_ISREG(there.st_mode)) target.sink = open_sink(at, path);
  target.folder = at.has_parent_path() ? at.parent_path().string() : ".";
  target.name = at.filename().string();
  return target;
}

std::string staging_folder(const std::string& path) {
  std::error_code nothing_there;
  const fs::path file = fs::canonical(path, nothing_there);
  if (nothing_there) return fs::path(path).parent_path().string();
  return fs::is_regular_file(file, nothing_there) ? file.parent_path().string()
                                                  : fs::temp_directory_path().string();
}

}  // namespace obliq
