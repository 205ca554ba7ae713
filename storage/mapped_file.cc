#include "storage/mapped_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdint>
#include <stdexcept>
#include <utility>

#include "storage/file_error.h"

namespace obliq {
namespace {

struct stat file_status(const FileDescriptor& file, const std::string& path) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) throw_system_error(path, "read its status");
  return status;
}

}  // namespace

MappedFile::MappedFile(std::string path, Loading loading) : path_(std::move(path)) {
  // Without O_NONBLOCK, opening a pipe would wait for a writer.
  file_ = FileDescriptor(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file_.is_open()) throw_system_error(path_, "open");
  const struct stat status = file_status(file_, path_);
  if (S_ISDIR(status.st_mode)) throw_system_error(path_, "map", EISDIR);
  if (!S_ISREG(status.st_mode)) throw_system_error(path_, "map what is not a regular file", EINVAL);
  if (!std::in_range<std::size_t>(status.st_size)) throw_system_error(path_, "map", EFBIG);
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size == 0) return;
  if (loading == Loading::mapped) {
    map(size);
  } else {
    read(size);
  }
}

void MappedFile::map(std::size_t size) {
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file_.get(), 0);
  if (address == MAP_FAILED) throw_system_error(path_, "map");
  bytes_ = {static_cast<const std::byte*>(address), size};
}

void MappedFile::read(std::size_t size) {
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  void* address = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, -1, 0);
  if (address == MAP_FAILED) throw_system_error(path_, "find memory for");
  ::madvise(address, size, MADV_HUGEPAGE);  // only advice: failure costs nothing
  auto* bytes = static_cast<std::byte*>(address);
  bytes_ = {bytes, size};
  for (std::size_t done = 0; done < size;) {
    const ssize_t got = ::pread(file_.get(), bytes + done, size - done, static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      const int reason = errno;
      ::munmap(address, size);
      throw_system_error(path_, "read", reason);
    }
    if (got == 0) break;  // cut meanwhile: the missing bytes stay zero and fail their checksum
    done += static_cast<std::size_t>(got);
  }
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

void MappedFile::check_not_cut() const {
  const struct stat status = file_status(file_, path_);
  if (!std::cmp_less(status.st_size, bytes_.size())) return;
  throw std::runtime_error(fmt::format("{}: cut to {} bytes while in use; it had {} when opened",
                                       path_, status.st_size, bytes_.size()));
}

void MappedFile::prefetch(std::span<const std::byte> part) const noexcept {
  if (part.empty()) return;
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto into_page = reinterpret_cast<std::uintptr_t>(part.data()) % page;
  std::byte* start = const_cast<std::byte*>(part.data()) - into_page;
  ::madvise(start, part.size() + into_page, MADV_WILLNEED);  // only advice: failure costs nothing
}

}  // namespace obliq
