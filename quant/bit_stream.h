// Fields of any width in a stream of bytes, without padding: bit i of the stream is bit i%8 of byte
// i/8, and the least significant bit of a field comes first. Only the bytes that hold a field are
// touched, so that the last field of a stream may end in its last byte.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>

namespace obliq {

/// Bytes of a stream of `bits` bits.
inline constexpr std::size_t stream_bytes(std::size_t bits) { return (bits + 7) / 8; }

/// The field of `width` bits (0..32) that starts at bit `at`.
inline std::uint32_t read_bits(const std::uint8_t* stream, std::size_t at, unsigned width) {
  assert(width <= 32);
  std::uint64_t window = 0;
  const std::size_t end = stream_bytes(at + width);
  for (std::size_t byte = end; byte > at / 8; --byte) window = window << 8 | stream[byte - 1];
  return static_cast<std::uint32_t>(window >> at % 8 & ((std::uint64_t{1} << width) - 1));
}

/// Replaces the field of `width` bits (0..32) that starts at bit `at`; other bits stay.
/// Requires value < 2^width.
inline void write_bits(std::uint8_t* stream, std::size_t at, unsigned width, std::uint32_t value) {
  assert(width <= 32 && std::uint64_t{value} >> width == 0);
  std::uint64_t mask = ((std::uint64_t{1} << width) - 1) << at % 8;
  std::uint64_t window = std::uint64_t{value} << at % 8;
  for (std::size_t byte = at / 8; mask != 0; ++byte, mask >>= 8, window >>= 8) {
    stream[byte] = static_cast<std::uint8_t>((stream[byte] & ~mask) | window);
  }
}

}  // namespace obliq
