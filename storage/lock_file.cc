#include "storage/lock_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <stdexcept>
#include <string_view>

#include "storage/file_error.h"
#include "storage/write_all.h"

namespace obliq {
namespace {

constexpr mode_t kNewFileMode = 0644;  // less the umask

/// What the file says; anything but a number is not passed on.
std::string holder_of(int fd) {
  std::array<char, 16> text{};
  if (read_all_at(fd, 0, std::as_writable_bytes(std::span(text))) != 0) return "another process";
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto end = std::ranges::find_if_not(text, is_digit);
  if (end == text.begin() || end == text.end() || *end != '\n') return "another process";
  return fmt::format("process {}", std::string_view(text.begin(), end));
}

}  // namespace

LockFile::LockFile(const std::string& folder) : path_(folder + "/LOCK") {
  // Without O_NONBLOCK a pipe of that name could make it wait.
  constexpr int kFlags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  file_ = FileDescriptor(::open(path_.c_str(), kFlags, kNewFileMode));
  if (!file_.is_open()) throw_system_error(path_, "open");
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0) throw_system_error(path_, "read its status");
  if (!S_ISREG(status.st_mode)) {
    throw_system_error(path_, "lock what is not a regular file", EINVAL);
  }
  take();
  write_holder();
}

void LockFile::take() {
  while (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) throw_system_error(path_, "lock");
    throw LockHeld(
        fmt::format("{}: {} has the lock and writes to this folder; one at a "
                    "time can",
                    path_, holder_of(file_.get())));
  }
}

// Closing the file would leave it to the children.
void LockFile::release() noexcept { static_cast<void>(::flock(file_.get(), LOCK_UN)); }

// Only for messages, so a full disk does no harm.
void LockFile::write_holder() const {
  if (::ftruncate(file_.get(), 0) != 0) return;
  std::array<char, 16> text{};
  const auto end = fmt::format_to_n(text.begin(), text.size(), "{}\n", ::getpid()).out;
  const auto written = std::span(text).first(static_cast<std::size_t>(end - text.begin()));
  static_cast<void>(write_all_at(file_.get(), 0, std::as_bytes(written)));
}

}  // namespace obliq
