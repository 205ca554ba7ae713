#include "quant/bit_planes.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace obliq {
namespace {

static_assert(std::endian::native == std::endian::little, "words are the planes' bytes");

// Up to eight bytes as one word, the first lowest.
std::uint64_t load_word(const std::uint8_t* bytes, std::size_t count) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, count);
  return word;
}

// Bit 0 of each byte of `word`, gathered: bit i comes from byte i.
std::uint8_t gather_low_bits(std::uint64_t word) {
  return static_cast<std::uint8_t>(((word & 0x0101010101010101ULL) * 0x0102040810204080ULL) >> 56);
}

// The reverse: bit i becomes byte i, 0 or 1. Every byte gets all bits and keeps its own; adding 127
// brings it to the top.
std::uint64_t spread_bits(std::uint8_t bits) {
  const std::uint64_t own = bits * 0x0101010101010101ULL & 0x8040201008040201ULL;
  return (own + 0x7F7F7F7F7F7F7F7FULL) >> 7 & 0x0101010101010101ULL;
}

}  // namespace

void pack_plane(std::span<const std::uint8_t> indices, std::size_t bit, std::uint8_t* plane) {
  const std::size_t whole = indices.size() / 8;
  const std::uint8_t* from = indices.data();
  for (std::size_t i = 0; i < whole; ++i) {
    plane[i] = gather_low_bits(load_word(from + 8 * i, 8) >> bit);
  }
  const std::size_t tail = indices.size() % 8;
  if (tail > 0) plane[whole] = gather_low_bits(load_word(from + 8 * whole, tail) >> bit);
}

void merge_plane(const std::uint8_t* plane, std::size_t bit, std::span<std::uint8_t> indices) {
  const std::size_t whole = indices.size() / 8;
  std::uint8_t* to = indices.data();
  for (std::size_t i = 0; i < whole; ++i) {
    const std::uint64_t word = load_word(to + 8 * i, 8) | spread_bits(plane[i]) << bit;
    std::memcpy(to + 8 * i, &word, sizeof word);
  }
  const std::size_t tail = indices.size() % 8;
  if (tail == 0) return;
  to += 8 * whole;
  const std::uint64_t word = load_word(to, tail) | spread_bits(plane[whole]) << bit;
  std::memcpy(to, &word, tail);
}

void pack_indices(std::span<const std::uint8_t> indices, std::size_t bits, std::uint8_t* code) {
  const std::size_t plane = (indices.size() + 7) / 8;
  for (std::size_t bit = 0; bit < bits; ++bit) {
    pack_plane(indices, bit, code + plane_position(bit, bits) * plane);
  }
}

void unpack_indices(const std::uint8_t* code, std::size_t bits, std::span<std::uint8_t> indices) {
  const std::size_t plane = (indices.size() + 7) / 8;
  std::fill(indices.begin(), indices.end(), std::uint8_t{0});
  for (std::size_t bit = 0; bit < bits; ++bit) {
    merge_plane(code + plane_position(bit, bits) * plane, bit, indices);
  }
}

}  // namespace obliq
