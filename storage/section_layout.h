// The bytes of a section file, as structs that are copied to and from the file. Private to
// storage/.
//
//   0                header, 64 bytes
//   64               first section, then zeros up to a multiple of 64
//   ...              the other sections, each right after the padding of the one before
//   table_offset     table: one entry of 40 bytes for each section, in file order
//   file_bytes       end
//
// Nothing lies outside these parts, so every byte is under a checksum: the header under its own,
// the table under the header's table_crc, sections and their padding under their entry's crc.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace obliq {

static_assert(std::endian::native == std::endian::little, "the structs below are the file's bytes");

inline constexpr std::uint32_t kFormatVersion = 2;
inline constexpr std::uint64_t kSectionAlignment = 64;
/// The flag of a section without which the others mean something else: who does not know it refuses
/// the file.
inline constexpr std::uint32_t kRequired = 1;
inline constexpr char kMagic[8] = {'O', 'B', 'L', 'I', 'Q', 'I', 'X', '\0'};

/// magic, format_version and header_crc stay in their places in every format version.
struct FileHeader {
  char magic[8];
  std::uint32_t format_version;
  std::uint32_t section_count;
  std::uint64_t file_bytes;
  std::uint64_t table_offset;
  std::uint32_t table_crc;
  char zeros[24];
  std::uint32_t header_crc;  // of the 60 bytes before it
};
static_assert(sizeof(FileHeader) == 64 && offsetof(FileHeader, header_crc) == 60);

struct TableEntry {
  char name[16];         // 1 to 15 printable ASCII characters, then zeros
  std::uint64_t offset;  // from the start of the file
  std::uint64_t bytes;   // without padding
  std::uint32_t crc;     // of the bytes and the padding
  std::uint32_t flags;   // kRequired or 0
};
static_assert(sizeof(TableEntry) == 40);

/// Zeros that follow a section of `bytes` bytes.
constexpr std::uint64_t padding_after(std::uint64_t bytes) {
  return (kSectionAlignment - bytes % kSectionAlignment) % kSectionAlignment;
}

/// What a name is made of: visible characters, so that messages and listings can show it.
constexpr bool is_name_character(char c) { return c > ' ' && c <= '~'; }

}  // namespace obliq
