#include "tests/storage/failing_calls.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <exception>
#include <mutex>
#include <string>
#include <utility>

#include "tests/storage/call_watcher.h"

namespace obliq {
namespace {

Failure failure;
CallWatcher* watcher = nullptr;

/// Keeps calls apart while somebody is told of them: else a descriptor could get another meaning
/// between a call and its telling.
class OneAtATime {
 public:
  OneAtATime() {
    if (watcher != nullptr) lock_ = std::unique_lock(mutex_);
  }

 private:
  static inline std::recursive_mutex mutex_;
  std::unique_lock<std::recursive_mutex> lock_;
};

/// Tells of a call that returned `result`, which is passed on.
template <typename Result, typename Tell>
Result watched(Result result, const Tell& tell) {
  if (watcher != nullptr && result >= 0) {
    const int error = errno;
    tell(*watcher, result);
    errno = error;
  }
  return result;
}

std::span<const std::byte> as_span(const void* bytes, ssize_t count) {
  return {static_cast<const std::byte*>(bytes), static_cast<std::size_t>(count)};
}

/// True, with errno set, when the call is to fail.
bool fails(Call call) {
  const bool meant = failure.call == call || failure.call == Call::kAny;
  if (!meant || failure.spared-- > 0) return false;
  if (--failure.count <= 0) failure.call = Call::kNone;
  if (failure.error == kDies) ::kill(::getpid(), SIGKILL);
  errno = failure.error;
  return true;
}

/// Every second write is interrupted, and the others take at most seven bytes.
bool hesitates(std::size_t& count) {
  if (!failure.hesitant) return false;
  count = std::min<std::size_t>(count, 7);
  errno = EINTR;
  return failure.spared++ % 2 == 0;
}

template <typename... Arguments>
int unless_it_fails(Call call, long number, Arguments... arguments) {
  return fails(call) ? -1 : static_cast<int>(::syscall(number, arguments...));
}

}  // namespace

void set_failure(const Failure& chosen) { failure = chosen; }

CallWatcher* set_watcher(CallWatcher* chosen) { return std::exchange(watcher, chosen); }

int fail_each_call(int error, const std::function<void()>& write,
                   const std::function<void(const std::string&)>& check) {
  for (int spared = 0;; ++spared) {
    std::string message;
    failure = {Call::kAny, error, spared};
    try {
      write();
    } catch (const std::exception& thrown) {
      message = thrown.what();
    }
    const bool all_succeeded = failure.call != Call::kNone;
    failure = {};
    check(message);
    if (all_succeeded) return spared;
  }
}

}  // namespace obliq

using obliq::as_span;
using obliq::Call;
using obliq::CallWatcher;
using obliq::fails;
using obliq::unless_it_fails;
using obliq::watched;

extern "C" {

ssize_t write(int fd, const void* bytes, size_t count) {
  const obliq::OneAtATime one;
  if (fails(Call::kWrite) || obliq::hesitates(count)) return -1;
  return watched(::syscall(SYS_write, fd, bytes, count), [&](CallWatcher& to, ssize_t written) {
    to.written(fd, ::lseek(fd, 0, SEEK_CUR) - written, as_span(bytes, written));
  });
}

ssize_t pwrite(int fd, const void* bytes, size_t count, off_t offset) {
  const obliq::OneAtATime one;
  if (fails(Call::kOverwrite) || obliq::hesitates(count)) return -1;
  return watched(
      ::syscall(SYS_pwrite64, fd, bytes, count, offset),
      [&](CallWatcher& to, ssize_t written) { to.written(fd, offset, as_span(bytes, written)); });
}

ssize_t pread(int fd, void* bytes, size_t count, off_t offset) {
  if (fails(Call::kAny)) return -1;
  return ::syscall(SYS_pread64, fd, bytes, count, offset);
}

int fsync(int fd) {
  const obliq::OneAtATime one;
  return watched(unless_it_fails(Call::kSync, SYS_fsync, fd),
                 [&](CallWatcher& to, int) { to.synced(fd); });
}

int fdatasync(int fd) {
  const obliq::OneAtATime one;
  return watched(unless_it_fails(Call::kSync, SYS_fdatasync, fd),
                 [&](CallWatcher& to, int) { to.synced(fd); });
}

int ftruncate(int fd, off_t size) noexcept {
  const obliq::OneAtATime one;
  return watched(unless_it_fails(Call::kCut, SYS_ftruncate, fd, size),
                 [&](CallWatcher& to, int) { to.cut(fd, size); });
}

ssize_t getrandom(void* bytes, size_t count, unsigned flags) {
  return unless_it_fails(Call::kAny, SYS_getrandom, bytes, count, flags);
}

int close(int fd) {
  const obliq::OneAtATime one;
  const bool failed = fails(Call::kClose);
  const int error = errno;
  const int result = watched(static_cast<int>(::syscall(SYS_close, fd)),
                             [&](CallWatcher& to, int) { to.closed(fd); });
  if (failed) errno = error;
  return failed ? -1 : result;
}

int renameat(int from_folder, const char* from, int to_folder, const char* to) noexcept {
  const obliq::OneAtATime one;
  return watched(unless_it_fails(Call::kRename, SYS_renameat2, from_folder, from, to_folder, to, 0),
                 [&](CallWatcher& told, int) { told.renamed(from_folder, from, to_folder, to); });
}

int unlinkat(int folder, const char* path, int flags) noexcept {
  const obliq::OneAtATime one;
  return watched(static_cast<int>(::syscall(SYS_unlinkat, folder, path, flags)),
                 [&](CallWatcher& to, int) { to.unlinked(folder, path); });
}

int flock(int fd, int operation) noexcept {
  return unless_it_fails(Call::kAny, SYS_flock, fd, operation);
}

int fchmod(int fd, mode_t mode) noexcept {
  return unless_it_fails(Call::kAny, SYS_fchmod, fd, mode);
}

int fchown(int fd, uid_t owner, gid_t group) noexcept {
  return unless_it_fails(Call::kAny, SYS_fchown, fd, owner, group);
}

void* mmap(void* address, size_t size, int protection, int flags, int fd, off_t offset) noexcept {
  if (fd >= 0 && fails(Call::kAny)) return MAP_FAILED;
  return reinterpret_cast<void*>(::syscall(SYS_mmap, address, size, protection, flags, fd, offset));
}

int open(const char* path, int flags, ...) {
  const obliq::OneAtATime one;
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return watched(unless_it_fails(Call::kAny, SYS_openat, AT_FDCWD, path, flags, mode),
                 [&](CallWatcher& to, int fd) { to.opened(fd, AT_FDCWD, path, flags); });
}

int openat(int folder, const char* path, int flags, ...) {
  const obliq::OneAtATime one;
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return watched(unless_it_fails(Call::kAny, SYS_openat, folder, path, flags, mode),
                 [&](CallWatcher& to, int fd) { to.opened(fd, folder, path, flags); });
}

int fcntl(int fd, int command, ...) {
  const obliq::OneAtATime one;
  va_list more;
  va_start(more, command);
  const long argument = va_arg(more, long);
  va_end(more);
  if (command == F_DUPFD_CLOEXEC && fails(Call::kAny)) return -1;
  return watched(static_cast<int>(::syscall(SYS_fcntl, fd, command, argument)),
                 [&](CallWatcher& to, int result) {
                   if (command == F_DUPFD_CLOEXEC) to.duplicated(fd, result);
                 });
}

#ifdef SYS_newfstatat
int fstatat(int folder, const char* path, struct stat* out, int flags) noexcept {
  return unless_it_fails(Call::kAny, SYS_newfstatat, folder, path, out, flags);
}

int fstat(int fd, struct stat* out) noexcept {
  return unless_it_fails(Call::kAny, SYS_newfstatat, fd, "", out, AT_EMPTY_PATH);
}
#endif

}  // extern "C"
