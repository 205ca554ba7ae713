// System calls that fail when a test says so, or are watched (call_watcher.h): failing_calls.cc
// replaces the C library's functions in the programs that it is linked into, since a definition of
// ours goes before the library's. They go on to the kernel unless told otherwise. Calls that the C
// library makes itself are not seen.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

namespace obliq {

enum class Call { kNone, kAny, kWrite, kOverwrite, kSync, kCut, kClose, kRename };

inline constexpr int kDies = -1;  // instead of an error: the process ends there, as if killed

struct Failure {
  Call call = Call::kNone;  ///< kAny: all that the writers of files make
  int error = 0;
  int spared = 0;  ///< calls that succeed before
  bool hesitant = false;
  int count = 1;  ///< calls that fail, one after the other
};

/// What fails from now on, once or `count` times: then all succeed again.
void set_failure(const Failure& failure);

/// Runs `write` again and again, each time with another of its calls failing with `error`, and
/// `check` after each: with the message of the exception, empty where there was none. Ends when
/// nothing is left to fail, and returns how many calls failed.
int fail_each_call(int error, const std::function<void()>& write,
                   const std::function<void(const std::string& message)>& check);

}  // namespace obliq
