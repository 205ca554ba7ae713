// MADV_WILLNEED starts the reads and returns. Batches of io_uring are no faster by much, and many
// systems do not allow it (docs/notes/benchmarks.md).
#include "storage/read_ahead.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

namespace obliq {

void ReadAhead::add(const void* begin, std::size_t bytes) {
  if (bytes == 0) return;
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto* first = static_cast<const std::byte*>(begin);
  const std::uintptr_t before = reinterpret_cast<std::uintptr_t>(first) % page;
  const std::uintptr_t behind = (page - (before + bytes) % page) % page;
  pages_.push_back({first - before, first + bytes + behind});
}

void ReadAhead::submit() {
  std::sort(pages_.begin(), pages_.end(),
            [](const Pages& a, const Pages& b) { return a.begin < b.begin; });
  for (std::size_t i = 0; i < pages_.size();) {
    Pages run = pages_[i];
    for (++i; i < pages_.size() && pages_[i].begin <= run.end; ++i) {
      run.end = std::max(run.end, pages_[i].end);
    }
    const auto count = static_cast<std::size_t>(run.end - run.begin);
    ::madvise(const_cast<std::byte*>(run.begin), count, MADV_WILLNEED);
  }
  pages_.clear();
}

}  // namespace obliq
