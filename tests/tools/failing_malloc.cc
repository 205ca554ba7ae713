// A library to load before a program (LD_PRELOAD) that lets malloc fail: from call number
// OBLIQ_FAIL_FROM on, OBLIQ_FAIL_COUNT times. The first call of a C++ program is that of the
// runtime, which sets memory aside to throw exceptions from.
#include <cstddef>
#include <cstdlib>

extern "C" {

void* __libc_malloc(std::size_t bytes);

void* malloc(std::size_t bytes) {
  static long calls = 0;
  static const char* from = std::getenv("OBLIQ_FAIL_FROM");
  static const char* count = std::getenv("OBLIQ_FAIL_COUNT");
  if (from == nullptr || count == nullptr) return __libc_malloc(bytes);
  static const long first = std::atol(from);
  static const long end = first + std::atol(count);
  ++calls;
  return calls >= first && calls < end ? nullptr : __libc_malloc(bytes);
}

}  // extern "C"
