// Slicing by eight (Kounavis and Berry, "A systematic approach to building high performance
// software-based CRC generators", ISCC 2005): table[j][b] is the remainder of byte b followed by j
// zero bytes, so eight bytes become eight independent look-ups and seven exclusive-ors.
//
// x86-64 with SSE4.2 divides by this very polynomial in one instruction, eight bytes at a time.
// That function is compiled for SSE4.2 alone and chosen at run time. An instruction waits for the
// one before, so three runs of bytes are divided side by side; a remainder followed by a run of
// zero bytes is four look-ups (Gopal et al., "Fast CRC computation for iSCSI polynomial using CRC32
// instruction", Intel 2011).
#include "storage/crc32c.h"

#include <array>
#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace obliq {
namespace {

static_assert(std::endian::native == std::endian::little, "words are read as stored");

constexpr std::uint32_t kPolynomial = 0x82F63B78;  // 0x1EDC6F41 with its bits reflected

using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr Tables make_tables() {
  Tables table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? kPolynomial : 0U);
    table[0][byte] = crc;
  }
  for (std::size_t zeros = 1; zeros < 8; ++zeros) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t before = table[zeros - 1][byte];
      table[zeros][byte] = (before >> 8) ^ table[0][before & 0xFF];
    }
  }
  return table;
}

constexpr Tables kTable = make_tables();

std::uint64_t load_word(const std::byte* at) {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

#if defined(__x86_64__)
constexpr std::size_t kRun = 1024;  // bytes

// [j][b]: the remainder of byte j of a remainder, b, followed by kRun zero bytes.
constexpr std::array<std::array<std::uint32_t, 256>, 4> make_run_tables() {
  std::array<std::array<std::uint32_t, 256>, 4> table{};
  for (unsigned bit = 0; bit < 32; ++bit) {
    std::uint32_t crc = 1U << bit;
    for (std::size_t i = 0; i < kRun; ++i) crc = (crc >> 8) ^ kTable[0][crc & 0xFF];
    for (std::size_t byte = 0; byte < 256; ++byte) {
      if ((byte >> (bit % 8) & 1) != 0) table[bit / 8][byte] ^= crc;
    }
  }
  return table;
}

constexpr auto kRunTable = make_run_tables();

std::uint32_t followed_by_run(std::uint64_t crc) {
  return kRunTable[0][crc & 0xFF] ^ kRunTable[1][crc >> 8 & 0xFF] ^ kRunTable[2][crc >> 16 & 0xFF] ^
         kRunTable[3][crc >> 24 & 0xFF];
}

__attribute__((target("sse4.2"))) std::uint32_t crc32c_by_instruction(
    std::span<const std::byte> bytes, std::uint32_t crc) noexcept {
  std::uint64_t wide = ~crc;
  const std::byte* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 3 * kRun; at += 3 * kRun, left -= 3 * kRun) {
    std::uint64_t second = 0;
    std::uint64_t third = 0;
    for (std::size_t i = 0; i < kRun; i += 8) {
      wide = _mm_crc32_u64(wide, load_word(at + i));
      second = _mm_crc32_u64(second, load_word(at + kRun + i));
      third = _mm_crc32_u64(third, load_word(at + 2 * kRun + i));
    }
    wide = followed_by_run(followed_by_run(wide) ^ second) ^ third;
  }
  for (; left >= 8; at += 8, left -= 8) wide = _mm_crc32_u64(wide, load_word(at));
  auto rest = static_cast<std::uint32_t>(wide);
  for (; left > 0; ++at, --left) rest = _mm_crc32_u8(rest, static_cast<unsigned char>(*at));
  return ~rest;
}
#endif

}  // namespace

std::uint32_t crc32c_by_tables(std::span<const std::byte> bytes, std::uint32_t crc) noexcept {
  crc = ~crc;
  const std::byte* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; at += 8, left -= 8) {
    const std::uint64_t word = load_word(at) ^ crc;
    crc = kTable[7][word & 0xFF] ^ kTable[6][(word >> 8) & 0xFF] ^ kTable[5][(word >> 16) & 0xFF] ^
          kTable[4][(word >> 24) & 0xFF] ^ kTable[3][(word >> 32) & 0xFF] ^
          kTable[2][(word >> 40) & 0xFF] ^ kTable[1][(word >> 48) & 0xFF] ^ kTable[0][word >> 56];
  }
  for (; left > 0; ++at, --left) {
    crc = (crc >> 8) ^ kTable[0][(crc ^ static_cast<std::uint32_t>(*at)) & 0xFF];
  }
  return ~crc;
}

std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t crc) noexcept {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2")) return crc32c_by_instruction(bytes, crc);
#endif
  return crc32c_by_tables(bytes, crc);
}

}  // namespace obliq
