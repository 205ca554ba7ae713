#include "storage/input_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <utility>

#include "storage/file_error.h"

namespace obliq {
namespace {

constexpr std::size_t kMostPerCall = std::size_t{1} << 30;  // the system takes at most 2 GiB

struct stat file_status(const FileDescriptor& file, const std::string& path) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) throw_system_error(path, "read its status");
  return status;
}

}  // namespace

InputFile::InputFile(std::string path) : path_(std::move(path)) {
  // Without O_NONBLOCK, opening a pipe would wait for a writer.
  file_ = FileDescriptor(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file_.is_open()) throw_system_error(path_, "open");
  const struct stat status = file_status(file_, path_);
  if (S_ISDIR(status.st_mode)) throw_system_error(path_, "read", EISDIR);
  if (!S_ISREG(status.st_mode)) {
    throw_system_error(path_, "read what is not a regular file", EINVAL);
  }
  if (!std::in_range<std::size_t>(status.st_size)) throw_system_error(path_, "read", EFBIG);
  size_ = static_cast<std::uint64_t>(status.st_size);
}

void InputFile::read(std::uint64_t offset, std::span<std::byte> out, std::string_view part) const {
  while (!out.empty()) {
    const ssize_t got = ::pread(file_.get(), out.data(), std::min(out.size(), kMostPerCall),
                                static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_system_error(path_, fmt::format("read {} at offset {}", part, offset));
    if (got == 0) {
      check_not_cut();
      throw_damaged(path_, part, offset, "the file ends there");  // cut, and as long again
    }
    out = out.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
}

void InputFile::check_not_cut() const {
  const struct stat status = file_status(file_, path_);
  if (!std::cmp_less(status.st_size, size_)) return;
  throw std::runtime_error(fmt::format("{}: cut to {} bytes while in use; it had {} when opened",
                                       path_, status.st_size, size_));
}

}  // namespace obliq
