#include "storage/write_all.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

namespace obliq {
namespace {

// A write raises both signals in the thread that writes, and before it returns: so they can be
// blocked there and taken off afterwards, but for one that somebody else had pending before.
class HeldSignals {
 public:
  HeldSignals() noexcept {
    sigset_t pending;
    ::sigpending(&pending);
    ::sigemptyset(&held_);
    for (const int number : {SIGXFSZ, SIGPIPE}) {
      if (::sigismember(&pending, number) == 0) ::sigaddset(&held_, number);
    }
    ::pthread_sigmask(SIG_BLOCK, &held_, &before_);
  }
  ~HeldSignals() {
    const timespec at_once{};
    while (::sigtimedwait(&held_, nullptr, &at_once) > 0) {
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;

 private:
  sigset_t held_;
  sigset_t before_;
};

/// Calls `write_some` with what is left and its offset from the start until nothing is.
template <typename WriteSome>
int repeat(std::span<const std::byte> bytes, const WriteSome& write_some) noexcept {
  const HeldSignals held;
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t written = write_some(bytes.subspan(done), done);
    if (written < 0 && errno == EINTR) continue;
    if (written == 0) return ENOSPC;
    if (written < 0) return errno;
    done += static_cast<std::size_t>(written);
  }
  return 0;
}

}  // namespace

int write_all(int fd, std::span<const std::byte> bytes) noexcept {
  return repeat(bytes, [fd](std::span<const std::byte> left, std::size_t) {
    return ::write(fd, left.data(), left.size());
  });
}

int write_all_at(int fd, std::uint64_t offset, std::span<const std::byte> bytes) noexcept {
  return repeat(bytes, [fd, offset](std::span<const std::byte> left, std::size_t done) {
    return ::pwrite(fd, left.data(), left.size(), static_cast<off_t>(offset + done));
  });
}

int read_all_at(int fd, std::uint64_t offset, std::span<std::byte> out) noexcept {
  while (!out.empty()) {
    const ssize_t got = ::pread(fd, out.data(), out.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    if (got == 0) break;
    out = out.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
  std::ranges::fill(out, std::byte{0});
  return 0;
}

std::string describe_lack_of_room(int error, int fd, std::uint64_t bytes_needed) {
  if (error == EFBIG) {
    return fmt::format(
        ": at least {} bytes are needed, more than a limit on file sizes (ulimit -f) or the file "
        "system "
        "allows",
        bytes_needed);
  }
  if (error != EDQUOT && error != ENOSPC) return {};
  const std::string needed = fmt::format(": at least {} bytes are needed", bytes_needed);
  struct stat status {};
  struct statvfs room {};
  const bool told = error == ENOSPC && ::fstat(fd, &status) == 0 && ::fstatvfs(fd, &room) == 0 &&
                    (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode));
  if (!told) return needed;
  return fmt::format("{}, {} are free", needed, std::uint64_t{room.f_bavail} * room.f_frsize);
}

}  // namespace obliq
