// Memory for kernel tests: values between two pages that nobody may touch, so that a read or write
// far outside faults, and a canary in the rest of their own pages, so that a write near by shows.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <span>
#include <system_error>
#include <vector>

namespace obliq {

/// Where the values stand: flush with the page before, one element further, or flush with the page
/// after. The first is aligned to 64 bytes, the second never, the third depends on the size.
enum class Placement { at_start, shifted, at_end };

template <class T>
class GuardedBuffer {
 public:
  GuardedBuffer(std::size_t count, Placement placement) : count_(count) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t bytes = (count + 1) * sizeof(T);
    inner_ = (bytes + page - 1) / page * page;
    outer_ = inner_ + 2 * page;
    void* memory = mmap(nullptr, outer_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
    memory_ = static_cast<std::uint8_t*>(memory);
    first_page_ = memory_ + page;
    protect(PROT_READ | PROT_WRITE);
    std::memset(first_page_, kCanary, inner_);
    const std::size_t data_bytes = count * sizeof(T);
    offset_ = placement == Placement::at_start  ? 0
              : placement == Placement::shifted ? sizeof(T)
                                                : inner_ - data_bytes;
  }
  ~GuardedBuffer() { munmap(memory_, outer_); }
  GuardedBuffer(const GuardedBuffer&) = delete;
  GuardedBuffer& operator=(const GuardedBuffer&) = delete;

  T* data() { return reinterpret_cast<T*>(first_page_ + offset_); }
  const T* data() const { return reinterpret_cast<const T*>(first_page_ + offset_); }
  std::size_t size() const { return count_; }
  std::span<T> values() { return {data(), count_}; }
  std::span<const T> values() const { return {data(), count_}; }

  /// Makes the values read-only: a kernel that writes its input faults.
  void freeze() { protect(PROT_READ); }

  /// Whether the canary around the values is as it was.
  bool intact() const {
    const std::span<const std::uint8_t> pages(first_page_, inner_);
    return is_canary(pages.first(offset_)) &&
           is_canary(pages.subspan(offset_ + count_ * sizeof(T)));
  }

 private:
  static constexpr std::uint8_t kCanary = 0xA5;

  // By memcmp, since most of the time of a kernel's test would go here without optimisation.
  static bool is_canary(std::span<const std::uint8_t> bytes) {
    return bytes.empty() || (bytes.front() == kCanary &&
                             std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
  }

  void protect(int rights) {
    if (mprotect(first_page_, inner_, rights) != 0) {
      throw std::system_error(errno, std::generic_category(), "mprotect");
    }
  }

  std::size_t count_;
  std::size_t inner_ = 0;
  std::size_t outer_ = 0;
  std::size_t offset_ = 0;
  std::uint8_t* memory_ = nullptr;
  std::uint8_t* first_page_ = nullptr;
};

}  // namespace obliq
