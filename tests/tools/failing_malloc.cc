// A library to load before a program (LD_PRELOAD) that lets operator new fail: from call number
// OBLIQ_FAIL_FROM on, OBLIQ_FAIL_COUNT times. malloc is left alone: libraries that the program is
// linked to call it before main and print what they think of failures.
#include <cstddef>
#include <cstdlib>
#include <new>

void* operator new(std::size_t bytes) {
  static long calls = 0;
  static const char* from = std::getenv("OBLIQ_FAIL_FROM");
  static const char* count = std::getenv("OBLIQ_FAIL_COUNT");
  static const long first = from == nullptr ? 0 : std::atol(from);
  static const long end = count == nullptr ? 0 : first + std::atol(count);
  ++calls;
  void* memory = calls >= first && calls < end ? nullptr : std::malloc(bytes);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
