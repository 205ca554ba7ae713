// Threads for what collections do in the background: few per process, however many are open.
#pragma once

#include <chrono>
#include <functional>

namespace obliq {

/// Seconds, at most kForever, as a clock takes them.
constexpr double kForever = 1e8;
std::chrono::steady_clock::duration bounded_duration(double seconds);

/// Runs `work`, which must not throw, when one of the threads for it is free. They are made when
/// they are needed first, at most six, and fewer where the process may use fewer CPUs. Throws
/// std::system_error where the first cannot be made.
void run_in_background(std::function<void()> work);
/// The same at a later time, or soon after it, on one of two other threads: for what is short.
void run_in_background(std::chrono::steady_clock::time_point when, std::function<void()> work);

}  // namespace obliq
