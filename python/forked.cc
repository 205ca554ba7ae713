#include "python/forked.h"

#include <pthread.h>

#include <atomic>
#include <system_error>

namespace obliq::python {
namespace {

std::atomic<bool>& flag() {
  static std::atomic<bool> forked = false;
  return forked;
}

}  // namespace

void watch_forks() {
  const int error =
      pthread_atfork(nullptr, nullptr, [] { flag().store(true, std::memory_order_relaxed); });
  if (error != 0) throw std::system_error(error, std::generic_category(), "cannot watch forks");
}

bool is_forked() { return flag().load(std::memory_order_relaxed); }

}  // namespace obliq::python
