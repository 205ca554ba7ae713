#include "quant/bit_planes.h"

#include <algorithm>

namespace obliq {
namespace {

// Eight bytes as one word, the first lowest: a single load on little-endian machines.
std::uint64_t load_word(const std::uint8_t* bytes, std::size_t count) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < count; ++i) word |= std::uint64_t{bytes[i]} << (8 * i);
  return word;
}

// Bit 0 of each byte of `word`, gathered: bit i comes from byte i.
std::uint8_t gather_low_bits(std::uint64_t word) {
  return static_cast<std::uint8_t>(((word & 0x0101010101010101ULL) * 0x0102040810204080ULL) >> 56);
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
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const unsigned set = plane[i / 8] >> (i % 8) & 1U;
    indices[i] = static_cast<std::uint8_t>(indices[i] | set << bit);
  }
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
