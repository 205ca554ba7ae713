// Where the C interface begins and C++ ends: every call runs inside guard(), which turns what it
// throws into a status and keeps the message for its thread.
#pragma once

#include <stdexcept>
#include <string>
#include <type_traits>

#include "obliq/c/status.h"

namespace obliq::capi {

/// A failure whose status no standard exception tells.
struct StatusError : std::runtime_error {
  StatusError(obliq_status why, const std::string& message)
      : std::runtime_error(message), status(why) {}
  obliq_status status;
};

/// The status of the exception that is being handled. Keeps its message, cut to what fits, and its
/// errno for obliq_last_error(). Takes no memory.
obliq_status failed() noexcept;

/// Runs the body of a call. No exception leaves it.
template <typename Body>
obliq_status guard(Body&& body) noexcept {
  try {
    body();
    return OBLIQ_OK;
  } catch (...) {
    return failed();
  }
}

}  // namespace obliq::capi
