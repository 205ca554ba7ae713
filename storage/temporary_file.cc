#include "storage/temporary_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

namespace obliq {
namespace {

constexpr std::string_view kPrefix = ".obliq-tmp-";
constexpr mode_t kNewFileMode = 0644;  // less the umask
constexpr int kMaxNumber = 10000;      // files of one pid in a folder, other hosts' included

bool is_temporary_name(std::string_view name) {
  if (!name.starts_with(kPrefix)) return false;
  return std::ranges::all_of(name.substr(kPrefix.size()),
                             [](char c) { return (c >= '0' && c <= '9') || c == '-'; });
}

void remove_if_abandoned(int folder, const char* name) {
  constexpr int kFlags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  const FileDescriptor file(::openat(folder, name, kFlags));
  struct stat status {};
  if (!file.is_open() || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return;
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) return;
  // Renamed meanwhile, it is somebody's output, and another file may have its name.
  struct stat named {};
  if (::fstatat(folder, name, &named, AT_SYMLINK_NOFOLLOW) != 0) return;
  if (named.st_ino == status.st_ino && named.st_dev == status.st_dev) ::unlinkat(folder, name, 0);
}

}  // namespace

TemporaryFile::TemporaryFile(int folder) : folder_(folder) {
  int error = EEXIST;
  for (int number = 0; number < kMaxNumber && error == EEXIST; ++number) {
    name_ = fmt::format("{}{}-{}", kPrefix, ::getpid(), number);
    error = create();
  }
  errno = error;
}

// Returns 0 or what errno tells. Between the file's creation and its lock somebody may take it for
// abandoned and remove it: EEXIST, as when the name is taken.
int TemporaryFile::create() noexcept {
  constexpr int kFlags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC;
  file_ = FileDescriptor(::openat(folder_, name_.c_str(), kFlags, kNewFileMode));
  if (!file_.is_open()) {
    name_.clear();  // not ours
    return errno;
  }
  struct stat status {};
  const bool contended = ::flock(file_.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  const bool known = ::fstat(file_.get(), &status) == 0;
  if (known && !contended && status.st_nlink > 0) return 0;
  const int error = known ? EEXIST : errno;
  if (!known) unlink();
  name_.clear();
  const FileDescriptor discarded = std::move(file_);
  return error;
}

TemporaryFile& TemporaryFile::operator=(TemporaryFile&& other) noexcept {
  std::swap(folder_, other.folder_);
  std::swap(name_, other.name_);
  std::swap(file_, other.file_);
  std::swap(lock_, other.lock_);
  return *this;
}

TemporaryFile::~TemporaryFile() { unlink(); }

int TemporaryFile::unlink() noexcept {
  if (name_.empty()) return 0;
  const int result = ::unlinkat(folder_, name_.c_str(), 0);
  name_.clear();
  return result;
}

int TemporaryFile::close() noexcept {
  lock_ = FileDescriptor(::fcntl(file_.get(), F_DUPFD_CLOEXEC, 0));
  const int result = file_.close();
  return lock_.is_open() ? result : -1;
}

int TemporaryFile::rename_to(const std::string& name) noexcept {
  const int result = ::renameat(folder_, name_.c_str(), folder_, name.c_str());
  if (result == 0) name_.clear();
  return result;
}

void remove_abandoned_files(int folder) noexcept {
  DIR* entries = nullptr;
  const int fd = ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0) entries = ::fdopendir(fd);
  if (entries == nullptr) {
    FileDescriptor unread(fd);
    return;
  }
  while (const dirent* entry = ::readdir(entries)) {
    if (is_temporary_name(entry->d_name)) remove_if_abandoned(folder, entry->d_name);
  }
  ::closedir(entries);
}

}  // namespace obliq
