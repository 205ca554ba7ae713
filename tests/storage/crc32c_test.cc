// CRC32C against the published vectors (RFC 3720, appendix B.4), against its definition bit by bit,
// and the two ways of computing it against each other.
#include "storage/crc32c.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace obliq {
namespace {

using Bytes = std::vector<std::byte>;

Bytes counting(std::size_t count, int first, int step) {
  Bytes bytes(count);
  for (std::size_t i = 0; i < count; ++i) {
    bytes[i] = static_cast<std::byte>(first + step * static_cast<int>(i));
  }
  return bytes;
}

/// Bytes without pattern: the high bytes of a linear congruential generator (Knuth's constants).
Bytes scrambled(std::size_t count) {
  Bytes bytes(count);
  std::uint64_t state = 7;
  for (std::byte& byte : bytes) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    byte = static_cast<std::byte>(state >> 56);
  }
  return bytes;
}

std::uint32_t crc32c_by_definition(std::span<const std::byte> bytes) {
  std::uint32_t crc = ~0U;
  for (const std::byte byte : bytes) {
    crc ^= static_cast<std::uint32_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? 0x82F63B78U : 0U);
  }
  return ~crc;
}

void expect_crc(std::span<const std::byte> bytes, std::uint32_t expected) {
  EXPECT_EQ(crc32c(bytes), expected);
  EXPECT_EQ(crc32c_by_tables(bytes), expected);
}

TEST(Crc32c, MatchesThePublishedVectors) {
  expect_crc({}, 0);
  expect_crc(counting(32, 0x00, 0), 0x8A9136AA);
  expect_crc(counting(32, 0xFF, 0), 0x62A8AB43);
  expect_crc(counting(32, 0, 1), 0x46DD794E);
  expect_crc(counting(32, 31, -1), 0x113FDB5C);
  constexpr std::string_view digits = "123456789";
  expect_crc(std::as_bytes(std::span(digits)), 0xE3069283);
}

TEST(Crc32c, MatchesThePublishedScsiReadCommand) {
  constexpr std::array<unsigned char, 48> command = {
      0x01, 0xC0, 0, 0,    0, 0, 0, 0,    0,    0, 0, 0, 0, 0, 0, 0, 0x14, 0, 0, 0, 0, 0, 0x04, 0,
      0,    0,    0, 0x14, 0, 0, 0, 0x18, 0x28, 0, 0, 0, 0, 0, 0, 0, 0x02, 0, 0, 0, 0, 0, 0,    0};
  expect_crc(std::as_bytes(std::span(command)), 0xD9963A56);
}

TEST(Crc32c, EqualsItsDefinitionAtEveryLengthAndAlignment) {
  const Bytes bytes = scrambled(300);
  for (std::size_t start = 0; start < 9; ++start) {
    for (std::size_t count = 0; count + start <= bytes.size(); ++count) {
      const auto part = std::span(bytes).subspan(start, count);
      ASSERT_EQ(crc32c_by_tables(part), crc32c_by_definition(part)) << start << ' ' << count;
      ASSERT_EQ(crc32c(part), crc32c_by_definition(part)) << start << ' ' << count;
    }
  }
}

// Of three runs of 1,024 bytes and more, which are divided side by side.
TEST(Crc32c, EqualsItsDefinitionWhereRunsAreJoined) {
  const Bytes bytes = scrambled(10000);
  for (std::size_t start = 0; start < 9; ++start) {
    for (const std::size_t count :
         {3071U, 3072U, 3073U, 3079U, 3080U, 6143U, 6144U, 6152U, 9991U}) {
      const auto part = std::span(bytes).subspan(start, count);
      ASSERT_EQ(crc32c_by_tables(part), crc32c_by_definition(part)) << start << ' ' << count;
      ASSERT_EQ(crc32c(part), crc32c_by_definition(part)) << start << ' ' << count;
      const std::uint32_t head = crc32c(part.first(7));
      ASSERT_EQ(crc32c(part.subspan(7), head), crc32c(part)) << start << ' ' << count;
    }
  }
}

TEST(Crc32c, DoesNotDependOnWhereTheBytesAreCut) {
  const Bytes bytes = scrambled(100);
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    const auto head = std::span(bytes).first(cut);
    const auto tail = std::span(bytes).subspan(cut);
    EXPECT_EQ(crc32c(tail, crc32c(head)), crc32c(bytes));
    EXPECT_EQ(crc32c_by_tables(tail, crc32c_by_tables(head)), crc32c(bytes));
  }
}

}  // namespace
}  // namespace obliq
