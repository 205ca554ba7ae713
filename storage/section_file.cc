// Reads the layout of storage/section_layout.h. open() believes nothing: each number is compared
// with what is really there before it is used, and the sums are arranged so that none can overflow.
// The sections' own bytes are left to verify(), because reading them all would defeat mapping them.
#include "storage/section_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <stdexcept>
#include <utility>

#include "storage/crc32c.h"
#include "storage/file_error.h"
#include "storage/mapped_file.h"
#include "storage/section_layout.h"

namespace obliq {
namespace {

constexpr std::size_t kVerifyStep = std::size_t{4} << 20;  // bytes between two progress reports

struct Section {
  std::string name;
  std::uint64_t offset;
  std::uint64_t bytes;
  std::uint32_t crc;
};

std::string quoted(std::string_view name) { return fmt::format("section '{}'", name); }

bool all_zero(std::span<const char> chars) {
  return std::ranges::all_of(chars, [](char c) { return c == 0; });
}

FileHeader read_header(const std::string& path, std::span<const std::byte> file) {
  const auto damaged = [&path](std::string_view reason) {
    throw_damaged(path, "header", 0, reason);
  };
  FileHeader header;
  if (file.empty()) damaged("the file is empty");
  if (file.size() < sizeof header) {
    damaged(fmt::format("the file has {} bytes, its header alone takes {}", file.size(),
                        sizeof header));
  }
  std::memcpy(&header, file.data(), sizeof header);
  if (std::memcmp(header.magic, kMagic, sizeof kMagic) != 0) damaged("not an obliq index");
  if (crc32c(file.first(offsetof(FileHeader, header_crc))) != header.header_crc) {
    damaged("checksum mismatch");
  }
  if (header.format_version != kFormatVersion) {
    damaged(fmt::format("format version {}; this build reads version {}", header.format_version,
                        kFormatVersion));
  }
  if (header.file_bytes != file.size()) {
    damaged(
        fmt::format("the file has {} bytes, its header says {}", file.size(), header.file_bytes));
  }
  if (!all_zero(header.zeros)) damaged("reserved bytes are not zero");
  return header;
}

std::span<const std::byte> read_table(const std::string& path, std::span<const std::byte> file,
                                      const FileHeader& header) {
  const std::uint64_t start = header.table_offset;
  const auto damaged = [&path, start](std::string_view reason) {
    throw_damaged(path, "table", start, reason);
  };
  if (start < sizeof header || start > file.size()) damaged("lies outside the file");
  const std::uint64_t table_bytes = std::uint64_t{header.section_count} * sizeof(TableEntry);
  if (table_bytes != file.size() - start) {
    damaged(fmt::format("{} sections take {} bytes, {} are there", header.section_count,
                        table_bytes, file.size() - start));
  }
  const auto table = file.subspan(start);
  if (crc32c(table) != header.table_crc) damaged("checksum mismatch");
  return table;
}

std::string read_name(const std::string& path, const TableEntry& entry, std::uint64_t at) {
  const std::span<const char> field(entry.name);
  const auto end = std::ranges::find(field, '\0');
  std::string name(field.begin(), end);
  if (name.empty() || name.size() == field.size() || !all_zero(field.subspan(name.size())) ||
      !std::ranges::all_of(name, is_name_character)) {
    throw_damaged(path, "table entry", at, "not a section name");
  }
  return name;
}

/// Requires a table whose checksum holds. The sections returned follow one another from the header
/// to the table without gap or overlap.
std::vector<Section> read_sections(const std::string& path, std::span<const std::byte> table,
                                   std::uint64_t table_offset) {
  std::vector<Section> sections;
  sections.reserve(table.size() / sizeof(TableEntry));
  std::uint64_t next = sizeof(FileHeader);
  for (std::size_t at = 0; at < table.size(); at += sizeof(TableEntry)) {
    TableEntry entry;
    std::memcpy(&entry, table.data() + at, sizeof entry);
    const std::string name = read_name(path, entry, table_offset + at);
    const auto damaged = [&](std::string_view reason) {
      throw_damaged(path, quoted(name), entry.offset, reason);
    };
    if (entry.offset != next) damaged(fmt::format("should start at {}", next));
    if (entry.zero != 0) damaged("reserved bytes of its table entry are not zero");
    const std::uint64_t room = table_offset - next;
    if (entry.bytes > room || padding_after(entry.bytes) > room - entry.bytes) {
      damaged(fmt::format("{} bytes and their padding reach past the table at {}", entry.bytes,
                          table_offset));
    }
    next += entry.bytes + padding_after(entry.bytes);
    sections.push_back({name, entry.offset, entry.bytes, entry.crc});
  }
  if (next != table_offset) {
    throw_damaged(path, "table", table_offset, fmt::format("sections end at {}", next));
  }
  return sections;
}

}  // namespace

struct SectionFile::State {
  State(const std::string& path, Loading loading) : file(path, loading) {
    header = read_header(path, file.bytes());
    const auto table = read_table(path, file.bytes(), header);
    sections = read_sections(path, table, header.table_offset);
    for (const Section& section : sections) {
      if (!by_name.emplace(section.name, &section).second) {
        throw_damaged(path, quoted(section.name), section.offset, "second section of this name");
      }
    }
  }

  const Section& find(std::string_view name) const {
    const auto found = by_name.find(name);
    if (found != by_name.end()) return *found->second;
    throw std::runtime_error(fmt::format("{}: {} is missing", file.path(), quoted(name)));
  }

  std::span<const std::byte> with_padding(const Section& section) const {
    return file.bytes().subspan(section.offset, section.bytes + padding_after(section.bytes));
  }

  /// Calls `step` with the bytes read since the last call; stops and returns false where it does.
  bool verify(const Section& section, const std::function<bool(std::size_t)>& step) const;

  MappedFile file;
  FileHeader header;
  std::vector<Section> sections;  // in file order
  std::map<std::string_view, const Section*> by_name;
};

bool SectionFile::State::verify(const Section& section,
                                const std::function<bool(std::size_t)>& step) const {
  std::uint32_t crc = 0;
  for (auto left = with_padding(section); !left.empty();) {
    const auto part = left.first(std::min(left.size(), kVerifyStep));
    left = left.subspan(part.size());
    file.check_not_cut();
    file.prefetch(left.first(std::min(left.size(), kVerifyStep)));
    crc = crc32c(part, crc);
    if (!step(part.size())) return false;
  }
  const auto damaged = [&](std::string_view reason) {
    throw_damaged(file.path(), quoted(section.name), section.offset, reason);
  };
  if (crc != section.crc) damaged("checksum mismatch");
  const auto padding = with_padding(section).subspan(section.bytes);
  if (std::ranges::any_of(padding, [](std::byte b) { return b != std::byte{0}; })) {
    damaged("padding is not zero");
  }
  return true;
}

SectionFile::SectionFile(const std::string& path, Loading loading)
    : state_(std::make_unique<State>(path, loading)) {}

SectionFile::~SectionFile() = default;

std::unique_ptr<const SectionFile> SectionFile::open(const std::string& path, Loading loading) {
  return std::make_unique<const SectionFile>(path, loading);
}

const std::string& SectionFile::path() const { return state_->file.path(); }

std::size_t SectionFile::file_bytes() const { return state_->file.bytes().size(); }

std::uint32_t SectionFile::format_version() const { return state_->header.format_version; }

std::vector<std::string> SectionFile::section_names() const {
  std::vector<std::string> names;
  for (const Section& section : state_->sections) names.push_back(section.name);
  return names;
}

bool SectionFile::has(std::string_view name) const { return state_->by_name.contains(name); }

std::span<const std::byte> SectionFile::section(std::string_view name) const {
  const Section& section = state_->find(name);
  return state_->file.bytes().subspan(section.offset, section.bytes);
}

std::uint64_t SectionFile::offset(std::string_view name) const { return state_->find(name).offset; }

void SectionFile::verify(std::string_view name) const {
  state_->verify(state_->find(name), [](std::size_t) { return true; });
}

void SectionFile::verify_all(const std::function<bool(double)>& progress) const {
  const auto total = static_cast<double>(file_bytes());
  std::size_t done = sizeof(FileHeader);
  const auto step = [&](std::size_t bytes) {
    done += bytes;
    return !progress || progress(static_cast<double>(done) / total);
  };
  for (const Section& section : state_->sections) {
    if (!state_->verify(section, step)) return;
  }
}

}  // namespace obliq
