// Prefetches memory before it is needed.
#pragma once

#include <cstddef>

namespace obliq {

/// Starts loading `bytes` bytes from `begin` into the caches. Any address is safe.
inline void prefetch(const void* begin, std::size_t bytes) {
  constexpr std::size_t kCacheLine = 64;
  const char* from = static_cast<const char*>(begin);
  for (std::size_t i = 0; i < bytes; i += kCacheLine) __builtin_prefetch(from + i);
}

}  // namespace obliq
