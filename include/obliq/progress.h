// How long work reports itself. The library never prints.
#pragma once

#include <functional>
#include <stdexcept>
#include <string_view>

namespace obliq {

/// Called now and then from the calling thread with the name of the stage and how much of it is
/// done (0 to 1). Return false to stop the work, which then throws Cancelled. May be empty.
using Progress = std::function<bool(std::string_view stage, double fraction)>;

/// Thrown when a Progress callback asked to stop. Nothing was written.
struct Cancelled : std::runtime_error {
  Cancelled() : std::runtime_error("cancelled") {}
};

/// Calls `progress` when there is one. Throws Cancelled when it answers false.
inline void report(const Progress& progress, std::string_view stage, double fraction) {
  if (progress && !progress(stage, fraction)) throw Cancelled();
}

}  // namespace obliq
