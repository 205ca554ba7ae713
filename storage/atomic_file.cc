// Names are resolved once, against the folder's descriptor: a change of the working directory
// between construction and commit does no harm.
#include "storage/atomic_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cassert>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <utility>

#include "storage/file_error.h"

namespace obliq {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 20;
constexpr mode_t kNewFileMode = 0644;  // less the umask
constexpr mode_t kPermissionBits = 0777;
constexpr int kMaxNumber = 10000;  // temporary files that dead processes of the same pid may leave

std::filesystem::path follow_link(const std::string& path) {
  std::error_code ignored;  // what is wrong with the path shows when its folder is opened
  if (!std::filesystem::is_symlink(path, ignored)) return path;
  const std::filesystem::path target = std::filesystem::canonical(path, ignored);
  return ignored ? std::filesystem::path(path) : target;
}

}  // namespace

AtomicFile::AtomicFile(std::string path) : path_(std::move(path)) {
  const std::filesystem::path target = follow_link(path_);
  name_ = target.filename().string();
  if (name_.empty() || name_ == "." || name_ == "..") {
    throw std::invalid_argument(fmt::format("'{}' names no file; give a file's path", path_));
  }
  folder_path_ = target.has_parent_path() ? target.parent_path().string() : ".";
  folder_ = FileDescriptor(::open(folder_path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder_.is_open()) throw_system_error(path_, "open its folder");
  create_temporary();
  keep_permissions();
  buffer_.reserve(kBufferBytes);
}

AtomicFile::~AtomicFile() {
  for (const std::span<const std::byte> view : views_) {
    ::munmap(const_cast<std::byte*>(view.data()), view.size());
  }
  discard();
}

void AtomicFile::create_temporary() {
  for (int number = 0; number < kMaxNumber && !file_.is_open(); ++number) {
    temporary_ = fmt::format("{}.tmp-{}-{}", name_, ::getpid(), number);
    const int flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC;
    file_ = FileDescriptor(::openat(folder_.get(), temporary_.c_str(), flags, kNewFileMode));
    if (!file_.is_open() && errno != EEXIST) break;
  }
  if (file_.is_open()) return;
  temporary_.clear();  // not ours
  fail("create a temporary file beside it");
}

void AtomicFile::keep_permissions() {
  struct stat old {};
  if (::fstatat(folder_.get(), name_.c_str(), &old, 0) != 0) {
    if (errno == ENOENT) return;
    fail("read its status");
  }
  // Found now rather than by the rename, after all the work.
  if (!S_ISREG(old.st_mode)) {
    errno = S_ISDIR(old.st_mode) ? EISDIR : EINVAL;
    fail("replace what is not a regular file");
  }
  if (::fchmod(file_.get(), old.st_mode & kPermissionBits) != 0) fail("set its permissions");
}

void AtomicFile::require_open() const {
  if (file_.is_open()) return;
  throw std::invalid_argument(path_ + ": written to after it was committed or had failed");
}

void AtomicFile::append(std::span<const std::byte> bytes) {
  require_open();
  if (bytes.size() > kBufferBytes - buffer_.size()) flush();
  if (bytes.size() >= kBufferBytes) {
    write_at_end(bytes);
  } else {
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  }
  size_ += bytes.size();
}

void AtomicFile::flush() {
  write_at_end(buffer_);
  buffer_.clear();
}

void AtomicFile::write_at_end(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file_.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written == 0) errno = ENOSPC;
    if (written <= 0) fail("write");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void AtomicFile::overwrite(std::uint64_t offset, std::span<const std::byte> bytes) {
  require_open();
  assert(offset <= size_ && bytes.size() <= size_ - offset);
  flush();
  while (!bytes.empty()) {
    const auto at = static_cast<off_t>(offset);
    const ssize_t written = ::pwrite(file_.get(), bytes.data(), bytes.size(), at);
    if (written < 0 && errno == EINTR) continue;
    if (written == 0) errno = ENOSPC;
    if (written <= 0) fail("write");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
}

std::span<const std::byte> AtomicFile::view() {
  require_open();
  flush();
  if (size_ == 0) return {};
  if (!views_.empty() && views_.back().size() == size_) return views_.back();
  void* start = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, file_.get(), 0);
  if (start == MAP_FAILED) fail("map");
  return views_.emplace_back(static_cast<const std::byte*>(start), size_);
}

std::string AtomicFile::temporary_path() const {
  require_open();
  return (std::filesystem::path(folder_path_) / temporary_).string();
}

void AtomicFile::commit() {
  require_open();
  flush();
  if (::fsync(file_.get()) != 0) fail("sync");
  if (file_.close() != 0) fail("close");
  if (::renameat(folder_.get(), temporary_.c_str(), folder_.get(), name_.c_str()) != 0) {
    fail("rename the temporary file to it");
  }
  temporary_.clear();
  // EINVAL: a file system without syncable folders, where there is nothing to wait for.
  if (::fsync(folder_.get()) != 0 && errno != EINVAL) fail("sync its folder");
}

void AtomicFile::discard() noexcept {
  file_.close();
  if (!temporary_.empty()) ::unlinkat(folder_.get(), temporary_.c_str(), 0);
  temporary_.clear();
}

void AtomicFile::fail(std::string_view operation) {
  const int error = errno;
  discard();
  throw_system_error(path_, operation, error);
}

}  // namespace obliq
