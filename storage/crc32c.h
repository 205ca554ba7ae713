// CRC32C (Castagnoli polynomial 0x1EDC6F41, bits reflected), as in iSCSI: RFC 3720, section 12.1
// and appendix B.4. Any change of up to 32 neighbouring bits, and any odd number of changed bits,
// changes the checksum.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace obliq {

/// The checksum of `bytes`, continuing from `crc`, the checksum of what came before: the checksum
/// of a whole is the same however it is cut. Uses the crc32 instruction where the CPU has it.
std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t crc = 0) noexcept;

/// The same by tables, on any CPU.
std::uint32_t crc32c_by_tables(std::span<const std::byte> bytes, std::uint32_t crc = 0) noexcept;

}  // namespace obliq
