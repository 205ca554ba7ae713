// Threads for what collections do in the background: one pool per process, however many are open.
#pragma once

#include <chrono>
#include <functional>

namespace obliq {

/// Seconds, at most kForever, as a clock takes them.
constexpr double kForever = 1e8;
std::chrono::steady_clock::duration bounded_duration(double seconds);

/// Runs `work` on a thread of the pool, which must not throw. Threads are made when they are needed
/// first, at most eight, and fewer where the process may use fewer CPUs. Throws std::system_error
/// where the first cannot be made.
void run_in_background(std::function<void()> work);
/// The same at a later time, or soon after it.
void run_in_background(std::chrono::steady_clock::time_point when, std::function<void()> work);

}  // namespace obliq
