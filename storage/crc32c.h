// CRC32C (Castagnoli polynomial, RFC 3720), slicing by eight.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace obliq {

/// The checksum of `bytes`, continuing from `crc`, the checksum of what came before.
std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t crc = 0);

}  // namespace obliq
