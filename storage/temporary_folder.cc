#include "storage/temporary_folder.h"

#include <fcntl.h>
#include <stdlib.h>  // NOLINT: mkdtemp is POSIX
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <string_view>

#include "storage/file_error.h"

namespace obliq {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "obliq-folder-";
constexpr std::string_view kRandomLetters = "XXXXXX";  // as mkdtemp has them

FileDescriptor open_folder(const std::string& path) {
  return FileDescriptor(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

void remove_abandoned_folders(const fs::path& parent) {
  std::error_code ignored;
  for (fs::directory_iterator at(parent, ignored), end; at != end; at.increment(ignored)) {
    const std::string name = at->path().filename().string();
    if (!name.starts_with(kPrefix) || name.size() != kPrefix.size() + kRandomLetters.size())
      continue;
    const FileDescriptor lock = open_folder(at->path().string());
    if (!lock.is_open() || ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) continue;
    fs::remove_all(at->path(), ignored);
  }
}

}  // namespace

TemporaryFolder::TemporaryFolder() : TemporaryFolder(fs::temp_directory_path().string()) {}

TemporaryFolder::TemporaryFolder(const std::string& parent) {
  remove_abandoned_folders(parent);
  while (!create(parent)) {
  }
}

// False where somebody has taken it for abandoned before it was locked.
bool TemporaryFolder::create(const std::string& parent) {
  path_ = (fs::path(parent) / kPrefix).string().append(kRandomLetters);
  if (::mkdtemp(path_.data()) == nullptr) throw_system_error(parent, "make a folder in it");
  lock_ = open_folder(path_);
  if (!lock_.is_open()) {
    const int error = errno;
    if (error == ENOENT) return false;
    ::rmdir(path_.c_str());
    throw_system_error(path_, "open", error);
  }
  struct stat status {};
  const bool contended = ::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  return !contended && ::fstat(lock_.get(), &status) == 0 && status.st_nlink > 0;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace obliq
