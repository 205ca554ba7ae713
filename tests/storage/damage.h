// A small section file with something of everything, and damage that carries valid checksums: what
// a checksum cannot refuse, the checks on the numbers must.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>

#include "storage/crc32c.h"
#include "storage/section_layout.h"
#include "tests/storage/files.h"

namespace obliq {

inline Bytes counting_bytes(std::size_t count) {
  Bytes bytes(count);
  for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::byte>(i * 7 + 1);
  return bytes;
}

/// Padding of 59, 0 (nothing to pad), 0 (full) and 58 bytes: 480 bytes in all.
inline void write_small_file(const std::string& path) {
  write_sections(path, {{"odd", counting_bytes(5)},
                        {"empty", {}},
                        {"full", counting_bytes(64)},
                        {"last", counting_bytes(70)}});
}

template <class T>
T load(const Bytes& file, std::uint64_t offset) {
  T value;
  std::memcpy(&value, file.data() + offset, sizeof value);
  return value;
}

template <class T>
void store(Bytes& file, std::uint64_t offset, const T& value) {
  std::memcpy(file.data() + offset, &value, sizeof value);
}

/// Makes the checksums of header, table and sections agree with the bytes, as far as the numbers
/// there lead to any. Requires at least 64 bytes.
inline void reseal(Bytes& file) {
  auto header = load<FileHeader>(file, 0);
  const std::span<const std::byte> bytes(file);
  if (header.table_offset <= file.size()) {
    for (std::uint64_t at = header.table_offset; file.size() - at >= sizeof(TableEntry);
         at += sizeof(TableEntry)) {
      auto entry = load<TableEntry>(file, at);
      if (entry.offset > file.size()) continue;
      const std::uint64_t room = file.size() - entry.offset;
      if (entry.bytes > room || padding_after(entry.bytes) > room - entry.bytes) continue;
      entry.crc = crc32c(bytes.subspan(entry.offset, entry.bytes + padding_after(entry.bytes)));
      store(file, at, entry);
    }
    header.table_crc = crc32c(bytes.subspan(header.table_offset));
  }
  store(file, 0, header);
  header.header_crc = crc32c(bytes.first(offsetof(FileHeader, header_crc)));
  store(file, 0, header);
}

}  // namespace obliq
