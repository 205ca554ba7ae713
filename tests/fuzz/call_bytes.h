// Bytes of a fuzzer as what calls take: sizes, ids, numbers, texts.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

namespace obliq::fuzz {

inline constexpr std::size_t kDim = 4;
inline constexpr std::size_t kMost = 24;  // vectors, answers, ids of a call
inline constexpr float kUntouched = -12345.0F;
inline constexpr std::int64_t kNoAnswer = -1000;  // no id of a call

inline void require(bool holds) {
  if (!holds) std::abort();
}

/// Values out of the bytes; zeros behind their end.
class Bytes {
 public:
  Bytes(const std::uint8_t* data, std::size_t size) : next_(data), end_(data + size) {}

  bool has_more() const { return next_ != end_; }
  std::uint8_t byte() { return has_more() ? *next_++ : 0; }
  std::size_t below(std::size_t limit) { return byte() % limit; }
  /// Mostly small, now and then as large as a size can be.
  std::size_t size() {
    const std::uint8_t value = byte();
    if (value == 255) return SIZE_MAX - byte();
    if (value == 254) return SIZE_MAX / (1U + byte());
    return value % (kMost + 1);
  }
  /// A size of buffers that are there: kMost at most.
  std::size_t count() { return below(kMost + 1); }
  std::size_t dim() { return byte() % 16 == 15 ? byte() : kDim; }
  std::int64_t id() { return static_cast<std::int8_t>(byte()); }
  float number() {
    const std::uint8_t value = byte();
    if (value == 255) return std::numeric_limits<float>::quiet_NaN();
    if (value == 254) return std::numeric_limits<float>::infinity();
    if (value == 253) return 1e38F;
    return static_cast<float>(value) / 16 - 8;
  }
  std::string text(std::size_t most) {
    std::string text;
    for (std::size_t n = below(most + 1); n > 0; --n) text.push_back(static_cast<char>(byte()));
    return text;
  }

 private:
  const std::uint8_t* next_;
  const std::uint8_t* end_;
};

}  // namespace obliq::fuzz
