// Bytes of mapped files that are about to be read. Touched one after the other, each waits for the
// disk by itself; asked for together, the disk works on many of them at a time.
#pragma once

#include <cstddef>
#include <vector>

namespace obliq {

class ReadAhead {
 public:
  /// Adds bytes of a mapped file.
  void add(const void* begin, std::size_t bytes);
  /// Asks the system to read the pages of what was added since it was called last, each of them
  /// once, and does not wait for them. Only advice: failure is not noticed.
  void submit();

  /// Memory held.
  std::size_t bytes() const { return pages_.capacity() * sizeof(Pages); }

 private:
  struct Pages {
    const std::byte* begin;
    const std::byte* end;
  };
  std::vector<Pages> pages_;
};

}  // namespace obliq
