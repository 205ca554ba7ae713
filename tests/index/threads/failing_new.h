// Allocations that fail when a test asks for it: this program's operator new counts them. In a file
// of its own, so that the compiler does not see through it.
#pragma once

#include <atomic>

namespace obliq::testing {

/// The n-th allocation from now on by any thread throws std::bad_alloc, once. 0: none.
extern std::atomic<long> failing_allocation;

/// False in builds with Clang's ThreadSanitizer.
extern const bool allocations_can_fail;

}  // namespace obliq::testing
