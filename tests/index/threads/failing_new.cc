// Memory comes from malloc, which AddressSanitizer watches; the aligned forms stay as they are.
// Clang's runtime of ThreadSanitizer holds these operators and suffers no others.
#include "tests/index/threads/failing_new.h"

#include <cstdlib>
#include <new>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define OBLIQ_THREAD_SANITIZER
#endif
#endif

namespace obliq::testing {

#ifdef OBLIQ_THREAD_SANITIZER
const bool allocations_can_fail = false;
#else
const bool allocations_can_fail = true;
#endif

std::atomic<long> failing_allocation = 0;

}  // namespace obliq::testing

#ifndef OBLIQ_THREAD_SANITIZER
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  std::atomic<long>& left = obliq::testing::failing_allocation;
  if (left > 0 && --left == 0) return nullptr;
  return std::malloc(size > 0 ? size : 1);
}

void* operator new(std::size_t size) {
  if (void* memory = ::operator new(size, std::nothrow)) return memory;
  throw std::bad_alloc();
}

void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
#endif
