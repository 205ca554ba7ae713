// Names are resolved once, against the folder's descriptor: a change of the working directory
// between construction and commit does no harm.
#include "storage/atomic_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <filesystem>
#include <stdexcept>
#include <utility>

#include "storage/file_error.h"
#include "storage/output_target.h"
#include "storage/write_all.h"

namespace obliq {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 20;
constexpr mode_t kPermissionBits = 07777;

}  // namespace

AtomicFile::AtomicFile(std::string path, Access access) : path_(std::move(path)) {
  OutputTarget target = find_output(path_);
  sink_ = std::move(target.sink);
  if (!sink_.is_open()) {
    name_ = std::move(target.name);
    create_temporary(target.folder);
    keep_owner();
  } else if (access == Access::random) {
    create_temporary(std::filesystem::temp_directory_path().string());
    if (temporary_.unlink() != 0) fail("remove the name of its temporary file", errno);
  }
}

AtomicFile::~AtomicFile() {
  for (const std::span<const std::byte> view : views_) {
    ::munmap(const_cast<std::byte*>(view.data()), view.size());
  }
}

void AtomicFile::create_temporary(const std::string& folder) {
  folder_ = FileDescriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder_.is_open()) fail(fmt::format("open the folder {}", folder), errno);
  remove_abandoned_files(folder_.get());
  temporary_ = TemporaryFile(folder_.get());
  if (!temporary_.is_open()) fail(fmt::format("create a temporary file in {}", folder), errno);
}

// Found now rather than by the rename, after all the work.
void AtomicFile::keep_owner() {
  struct stat old {};
  struct stat made {};
  if (::fstatat(folder_.get(), name_.c_str(), &old, 0) != 0) {
    if (errno == ENOENT) return;
    fail("read its status", errno);
  }
  if (::fstat(temporary_.fd(), &made) != 0) fail("read the status of its temporary file", errno);
  if ((made.st_uid != old.st_uid || made.st_gid != old.st_gid) &&
      ::fchown(temporary_.fd(), old.st_uid, old.st_gid) != 0) {
    fail(fmt::format("keep its owner {} and group {} (remove it first to make it yours)",
                     old.st_uid, old.st_gid),
         errno);
  }
  if (::fchmod(temporary_.fd(), old.st_mode & kPermissionBits) != 0) {
    fail("set its permissions", errno);
  }
}

void AtomicFile::require_open() const {
  if (open_) return;
  throw std::invalid_argument(path_ + ": written to after it was committed or had failed");
}

// Grows with what comes: most files are small.
void AtomicFile::make_room(std::size_t bytes) {
  const std::size_t needed = std::min(kBufferBytes, buffer_.size() + bytes);
  if (needed <= buffer_.capacity()) return;
  buffer_.reserve(std::min(kBufferBytes, std::max(needed, 2 * buffer_.capacity())));
}

void AtomicFile::append(std::span<const std::byte> bytes) {
  require_open();
  make_room(bytes.size());
  size_ += bytes.size();
  if (bytes.size() > kBufferBytes - buffer_.size()) flush();
  if (bytes.size() >= kBufferBytes) {
    check(write_all(fd(), bytes), "write");
  } else {
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  }
}

void AtomicFile::flush() {
  check(write_all(fd(), buffer_), "write");
  buffer_.clear();
}

void AtomicFile::write_at(std::uint64_t offset, std::span<const std::byte> bytes) {
  require_open();
  assert(temporary_.is_open());
  flush();
  size_ = std::max(size_, offset + bytes.size());
  check(write_all_at(fd(), offset, bytes), "write");
}

void AtomicFile::read_at(std::uint64_t offset, std::span<std::byte> out) {
  require_open();
  assert(temporary_.is_open());
  flush();
  check(read_all_at(fd(), offset, out), "read what was written");
}

std::span<const std::byte> AtomicFile::view() {
  require_open();
  assert(temporary_.is_open());
  flush();
  if (size_ == 0) return {};
  if (!views_.empty() && views_.back().size() == size_) return views_.back();
  void* start = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, fd(), 0);
  if (start == MAP_FAILED) fail("map", errno);
  return views_.emplace_back(static_cast<const std::byte*>(start), size_);
}

void AtomicFile::commit() {
  require_open();
  flush();
  if (sink_.is_open()) {
    write_through();
  } else {
    replace();
  }
  open_ = false;
}

void AtomicFile::write_through() {
  for (std::uint64_t offset = 0; temporary_.is_open() && offset < size_;) {
    buffer_.resize(std::min<std::uint64_t>(kBufferBytes, size_ - offset));
    check(read_all_at(temporary_.fd(), offset, buffer_), "read its temporary file");
    check(write_all(sink_.get(), buffer_), "write");
    offset += buffer_.size();
  }
  if (sink_.close() != 0) fail("close", errno);
}

void AtomicFile::replace() {
  if (::fsync(temporary_.fd()) != 0) fail("sync", errno);
  if (temporary_.close() != 0) fail("close", errno);
  if (temporary_.rename_to(name_) != 0) fail("rename the temporary file to it", errno);
  // EINVAL: a file system without syncable folders, where there is nothing to wait for.
  if (::fsync(folder_.get()) == 0 || errno == EINVAL) return;
  const int error = errno;
  open_ = false;
  throw std::system_error(error, std::generic_category(),
                          path_ +
                              ": the new file is in place, but its folder cannot be synced, "
                              "so that a power failure may bring back the old one");
}

void AtomicFile::check(int error, std::string_view operation) {
  if (error != 0) fail(operation, error);
}

void AtomicFile::fail(std::string_view operation, int error) {
  open_ = false;
  const int folder = folder_.is_open() ? folder_.get() : sink_.get();
  temporary_ = {};  // first, so that the room it took counts as free
  throw_system_error(path_,
                     fmt::format("{}{}", operation,
                                 describe_lack_of_room(error, folder, std::max(expected_, size_))),
                     error);
}

}  // namespace obliq
