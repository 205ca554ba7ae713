// Memory comes from malloc, which sanitizers watch; only the aligned forms stay as they are.
#include "tests/index/threads/failing_new.h"

#include <cstdlib>
#include <new>

namespace obliq::testing {

std::atomic<long> failing_allocation = 0;

}  // namespace obliq::testing

void* operator new(std::size_t size) {
  std::atomic<long>& left = obliq::testing::failing_allocation;
  if (left > 0 && --left == 0) throw std::bad_alloc();
  if (void* memory = std::malloc(size > 0 ? size : 1)) return memory;
  throw std::bad_alloc();
}

void operator delete(void* memory) noexcept { std::free(memory); }
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define OBLIQ_HAS_SIZED_DELETE  // Clang's runtime holds one that gives no way, and frees alike
#endif
#endif
#ifndef OBLIQ_HAS_SIZED_DELETE
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
#endif
