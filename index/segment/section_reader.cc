// Sizes are compared with what the numbers before them ask for, before anything is read.
#include "index/segment/section_reader.h"

#include <fmt/format.h>

namespace obliq {

std::runtime_error SectionReader::fault(std::string_view section, const std::string& reason) const {
  return std::runtime_error(fmt::format("{}: section '{}' at offset {}: {}", file().path(), section,
                                        file().offset(section), reason));
}

void SectionReader::check_size(std::string_view section, std::size_t bytes, std::uint64_t count,
                               std::uint64_t item_bytes) const {
  const auto expected = static_cast<unsigned __int128>(count) * item_bytes;
  if (bytes == expected) return;
  refuse(section, fmt::format("{} bytes, expected {} items of {} bytes", bytes, count, item_bytes));
}

std::span<const std::byte> SectionReader::fixed(std::string_view section) {
  if (is_mapped_) return bytes_->copies.emplace_back(file().verified_copy(section));
  file().verify(section);
  return file().section(section);
}

}  // namespace obliq
