// Bit planes: how level indices lie in a code. Plane p holds bit p of every index, one bit per
// dimension: bit i%8 of byte i/8 belongs to dimension i, and bits beyond dim are 0. A scalar code
// of `bits` bits is
//
//     [plane of bit bits-1]  the sign plane: 1 where the level is positive
//     [plane of bit 0] [plane of bit 1] ... [plane of bit bits-2]
//
// as the kernel dot_planes reads it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace obliq {

/// Where the plane of bit `bit` stands in a scalar code of `bits` bits: 0 is the first.
inline constexpr std::size_t plane_position(std::size_t bit, std::size_t bits) {
  return bit + 1 == bits ? 0 : bit + 1;
}

/// Writes bit `bit` of each index as a plane of ceil(indices.size()/8) bytes.
void pack_plane(std::span<const std::uint8_t> indices, std::size_t bit, std::uint8_t* plane);

/// Sets bit `bit` of each index where the plane has a 1; other bits stay.
void merge_plane(const std::uint8_t* plane, std::size_t bit, std::span<std::uint8_t> indices);

/// A whole scalar code of bits * ceil(indices.size()/8) bytes from indices below 2^bits.
void pack_indices(std::span<const std::uint8_t> indices, std::size_t bits, std::uint8_t* code);

/// The reverse.
void unpack_indices(const std::uint8_t* code, std::size_t bits, std::span<std::uint8_t> indices);

}  // namespace obliq
