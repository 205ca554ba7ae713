#include "core/utf8.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace obliq {
namespace {

struct Range {
  unsigned char least;
  unsigned char most;
  bool has(unsigned char c) const { return c >= least && c <= most; }
};

// What may follow a first byte: where a code point could be written in fewer bytes, or is none, the
// second byte tells.
Range second_byte(unsigned char first) {
  switch (first) {
    case 0xE0:
      return {0xA0, 0xBF};
    case 0xED:
      return {0x80, 0x9F};
    case 0xF0:
      return {0x90, 0xBF};
    case 0xF4:
      return {0x80, 0x8F};
    default:
      return {0x80, 0xBF};
  }
}

// Bytes of the code point that begins with this one; 0: none does.
std::size_t point_bytes(unsigned char first) {
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4) return 0;
  return first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

}  // namespace

bool is_utf8(std::string_view text) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080U;
  std::size_t i = 0;
  while (i < text.size()) {
    std::uint64_t eight = kHighBits;
    if (text.size() - i >= sizeof eight) std::memcpy(&eight, text.data() + i, sizeof eight);
    if ((eight & kHighBits) == 0) {
      i += sizeof eight;
      continue;
    }
    const auto at = [&](std::size_t k) { return static_cast<unsigned char>(text[i + k]); };
    const std::size_t bytes = point_bytes(at(0));
    if (bytes == 0 || bytes > text.size() - i) return false;
    if (bytes > 1 && !second_byte(at(0)).has(at(1))) return false;
    for (std::size_t k = 2; k < bytes; ++k) {
      if (!Range{0x80, 0xBF}.has(at(k))) return false;
    }
    i += bytes;
  }
  return true;
}

}  // namespace obliq
