// Who is told of the system calls of failing_calls.cc that have succeeded and change files, folders
// or what descriptors mean: simulated_disk.h. Told of one call at a time.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <span>

namespace obliq {

class CallWatcher {
 public:
  CallWatcher() = default;
  virtual ~CallWatcher() = default;
  CallWatcher(const CallWatcher&) = delete;
  CallWatcher& operator=(const CallWatcher&) = delete;

  virtual void opened(int fd, int folder, const char* path, int flags) = 0;
  virtual void duplicated(int from, int to) = 0;
  virtual void closed(int fd) = 0;
  virtual void written(int fd, off_t offset, std::span<const std::byte> bytes) = 0;
  virtual void cut(int fd, off_t size) = 0;
  virtual void synced(int fd) = 0;
  virtual void renamed(int from_folder, const char* from, int to_folder, const char* to) = 0;
  virtual void unlinked(int folder, const char* path) = 0;
};

/// Nobody is told after nullptr. Returns who was told before.
CallWatcher* set_watcher(CallWatcher* watcher);

}  // namespace obliq
