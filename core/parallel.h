// Loops over threads. The first exception of a body is thrown again in the caller's thread.
#pragma once

#include <cstddef>
#include <functional>

namespace obliq {

/// The most threads that a call takes, whatever it asks for.
inline constexpr int kMostThreads = 1024;

/// The number of threads that `threads` asks for, at most kMostThreads: itself, or default_threads
/// when it is 0. Throws std::invalid_argument when it is negative.
int resolve_threads(int threads);

/// Calls body(begin, end, thread) for consecutive pieces of [0, n) of at most `grain` items, each
/// piece once, on up to resolve_threads(threads) threads; `thread` is below that number. There are
/// fewer where the system makes no more, and one inside the body of another parallel_for. Which
/// thread takes which piece is not fixed: results must not depend on it.
void parallel_for(std::size_t n, std::size_t grain, int threads,
                  const std::function<void(std::size_t, std::size_t, int)>& body);

}  // namespace obliq
