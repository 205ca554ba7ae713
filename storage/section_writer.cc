// Writes the layout of storage/section_layout.h front to back, knowing no size beforehand:
//
//   [64 zeros][section][zeros]...[section][zeros][table]   and, at commit, the header over the
//   zeros
//
// Until then the file starts with zeros instead of the magic, so even the temporary file of a
// killed process can never be taken for an index.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <set>
#include <stdexcept>
#include <utility>

#include "storage/atomic_file.h"
#include "storage/crc32c.h"
#include "storage/section_file.h"
#include "storage/section_layout.h"

namespace obliq {

struct SectionWriter::State {
  explicit State(std::string target)
      : path(target), file(std::move(target), AtomicFile::Access::random) {}

  /// Adds bytes that belong to the section begun last.
  void append_checked(std::span<const std::byte> bytes) {
    file.append(bytes);
    table.back().crc = crc32c(bytes, table.back().crc);
  }

  /// Pads the section begun last, if any.
  void end_section() {
    if (table.empty()) return;
    const std::array<std::byte, kSectionAlignment> zeros{};
    append_checked(std::span(zeros).first(padding_after(table.back().bytes)));
  }

  std::string path;
  AtomicFile file;
  std::vector<TableEntry> table;
  std::set<std::string, std::less<>> names;
};

namespace {

void check_name(const std::string& path, std::string_view name) {
  constexpr std::size_t longest = sizeof(TableEntry::name) - 1;
  if (!name.empty() && name.size() <= longest && std::ranges::all_of(name, is_name_character)) {
    return;
  }
  throw std::invalid_argument(fmt::format(
      "{}: section name '{}' is not 1 to {} visible ASCII characters", path, name, longest));
}

}  // namespace

SectionWriter::SectionWriter(std::string path) : state_(std::make_unique<State>(std::move(path))) {
  const std::array<std::byte, sizeof(FileHeader)> room_for_header{};
  state_->file.append(room_for_header);
}

SectionWriter::~SectionWriter() = default;

void SectionWriter::expect(std::uint64_t bytes_to_come) {
  state_->file.expect(state_->file.size() + bytes_to_come);
}

void SectionWriter::begin(std::string_view name, Need need) {
  check_name(state_->path, name);
  if (state_->names.contains(name)) {
    throw std::invalid_argument(
        fmt::format("{}: section '{}' begun twice; each name is used once", state_->path, name));
  }
  if (state_->table.size() == std::numeric_limits<std::uint32_t>::max()) {
    throw std::invalid_argument(state_->path + ": more sections than a file can hold");
  }
  state_->end_section();
  state_->names.emplace(name);
  TableEntry entry{};
  std::memcpy(entry.name, name.data(), name.size());
  entry.offset = state_->file.size();
  entry.flags = need == Need::required ? kRequired : 0;
  state_->table.push_back(entry);
}

void SectionWriter::append(std::span<const std::byte> bytes) {
  if (state_->table.empty()) {
    throw std::invalid_argument(state_->path + ": bytes given before a section was begun");
  }
  state_->append_checked(bytes);
  state_->table.back().bytes += bytes.size();
}

std::span<const std::byte> SectionWriter::written(std::string_view name) {
  for (const TableEntry& entry : state_->table) {
    if (name == entry.name) return state_->file.view().subspan(entry.offset, entry.bytes);
  }
  throw std::invalid_argument(fmt::format("{}: no section '{}' was begun", state_->path, name));
}

void SectionWriter::commit() {
  AtomicFile& file = state_->file;
  state_->end_section();
  const auto table = std::as_bytes(std::span(state_->table));
  FileHeader header{};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  header.format_version = kFormatVersion;
  header.section_count = static_cast<std::uint32_t>(state_->table.size());
  header.table_offset = file.size();
  header.table_crc = crc32c(table);
  file.append(table);
  header.file_bytes = file.size();
  const auto header_bytes = std::as_bytes(std::span(&header, 1));
  header.header_crc = crc32c(header_bytes.first(offsetof(FileHeader, header_crc)));
  file.write_at(0, header_bytes);
  file.commit();
}

std::uint64_t section_file_bytes(std::span<const std::uint64_t> sections) {
  std::uint64_t bytes = sizeof(FileHeader) + sizeof(TableEntry) * sections.size();
  for (const std::uint64_t section : sections) bytes += section + padding_after(section);
  return bytes;
}

}  // namespace obliq
