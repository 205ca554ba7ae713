#include "storage/lock_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <span>
#include <stdexcept>

#include "storage/file_error.h"
#include "storage/write_all.h"

namespace obliq {
namespace {

// What the one who has the lock has written: digits.
std::string holder_of(int fd) {
  std::array<std::byte, 20> bytes{};
  std::string digits;
  if (read_all_at(fd, 0, bytes) != 0) return digits;
  for (const std::byte byte : bytes) {
    const char c = static_cast<char>(byte);
    if (c < '0' || c > '9') break;
    digits += c;
  }
  return digits;
}

}  // namespace

LockFile::LockFile(const std::string& path)
    : file_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644)) {
  if (!file_.is_open()) throw_system_error(path, "open the lock");
  if (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) throw_system_error(path, "lock");
    const std::string holder = holder_of(file_.get());
    throw std::runtime_error(
        fmt::format("{}: {} writes here: close it there first, or open to read only", path,
                    holder.empty() ? "another process" : "process " + holder));
  }
  const std::string pid = fmt::format("{}\n", ::getpid());
  const int error = write_all_at(file_.get(), 0, std::as_bytes(std::span(pid)));
  if (error != 0) throw_system_error(path, "write the lock", error);
}

}  // namespace obliq
