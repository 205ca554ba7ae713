// How builds and tuning report their progress and can be stopped. The library never prints.
#pragma once

#include <functional>
#include <stdexcept>
#include <string_view>

#include "obliq/export.h"

namespace obliq {

/// Called from time to time, on the thread that called the library, with the name of the current
/// stage and the fraction of it that is done, which never falls within a stage and ends at 1.
/// Return false to stop: the call then throws Cancelled. May be empty.
using Progress = std::function<bool(std::string_view stage, double fraction)>;

/// Thrown when a Progress callback returned false. No file was written.
struct OBLIQ_API Cancelled : std::runtime_error {
  Cancelled() : std::runtime_error("cancelled") {}
};

/// Calls `progress` unless it is empty. Throws Cancelled when it returns false.
OBLIQ_API void report(const Progress& progress, std::string_view stage, double fraction);

}  // namespace obliq
