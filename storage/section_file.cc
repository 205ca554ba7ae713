// Reads the layout of storage/section_layout.h. open() believes nothing: each number is compared
// with what is really there before it is used, and the sums are arranged so that none can overflow.
// The sections' own bytes are left to verify(), because reading them all would defeat mapping them.
//
// Header and table come first and are read like all that is checked, through the system: a large
// file of another kind is refused for its first bytes, and a disk that fails gives an error.
#include "storage/section_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <stdexcept>
#include <utility>

#include "storage/crc32c.h"
#include "storage/file_error.h"
#include "storage/input_file.h"
#include "storage/mapped_file.h"
#include "storage/section_layout.h"

namespace obliq {
namespace {

constexpr std::size_t kVerifyStep = std::size_t{4} << 20;  // bytes read and checked at a time

struct Section {
  std::string name;
  std::uint64_t offset;
  std::uint64_t bytes;
  std::uint32_t crc;
  bool required;
};

std::string quoted(std::string_view name) { return fmt::format("section '{}'", name); }

bool all_zero(std::span<const char> chars) {
  return std::ranges::all_of(chars, [](char c) { return c == 0; });
}

FileHeader read_header(const InputFile& file) {
  const auto damaged = [&file](std::string_view reason) {
    throw_damaged(file.path(), "header", 0, reason);
  };
  FileHeader header;
  if (file.size() == 0) damaged("the file is empty");
  const std::span<std::byte> bytes = std::as_writable_bytes(std::span(&header, 1));
  const auto present = bytes.first(std::min<std::uint64_t>(file.size(), bytes.size()));
  file.read(0, present, "header");
  if (std::memcmp(header.magic, kMagic, std::min(sizeof kMagic, present.size())) != 0) {
    damaged("not an obliq index");
  }
  if (present.size() < bytes.size()) {
    damaged(fmt::format("the file has {} bytes, its header alone takes {}", file.size(),
                        sizeof header));
  }
  if (crc32c(bytes.first(offsetof(FileHeader, header_crc))) != header.header_crc) {
    damaged("checksum mismatch");
  }
  if (header.format_version != kFormatVersion) {
    damaged(fmt::format(
        "format version {}; this obliq reads version {}: {}", header.format_version, kFormatVersion,
        header.format_version < kFormatVersion ? "build the index again from its vectors"
                                               : "it was written by a newer one, take that"));
  }
  if (header.file_bytes != file.size()) {
    damaged(
        fmt::format("the file has {} bytes, its header says {}", file.size(), header.file_bytes));
  }
  if (!all_zero(header.zeros)) damaged("reserved bytes are not zero");
  return header;
}

std::vector<std::byte> read_table(const InputFile& file, const FileHeader& header) {
  const std::uint64_t start = header.table_offset;
  const auto damaged = [&file, start](std::string_view reason) {
    throw_damaged(file.path(), "table", start, reason);
  };
  if (start < sizeof header || start > file.size()) damaged("lies outside the file");
  const std::uint64_t table_bytes = std::uint64_t{header.section_count} * sizeof(TableEntry);
  if (table_bytes != file.size() - start) {
    damaged(fmt::format("{} sections take {} bytes, {} are there", header.section_count,
                        table_bytes, file.size() - start));
  }
  std::vector<std::byte> table(table_bytes);
  file.read(start, table, "table");
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
    if (entry.flags > kRequired) damaged("unknown flags");
    const std::uint64_t room = table_offset - next;
    if (entry.bytes > room || padding_after(entry.bytes) > room - entry.bytes) {
      damaged(fmt::format("{} bytes and their padding reach past the table at {}", entry.bytes,
                          table_offset));
    }
    next += entry.bytes + padding_after(entry.bytes);
    sections.push_back({name, entry.offset, entry.bytes, entry.crc, entry.flags == kRequired});
  }
  if (next != table_offset) {
    throw_damaged(path, "table", table_offset, fmt::format("sections end at {}", next));
  }
  return sections;
}

}  // namespace

struct SectionFile::State {
  State(const std::string& path, Loading loading) : State(InputFile(path), loading) {}

  State(InputFile input, Loading loading) {
    header = read_header(input);
    sections = read_sections(input.path(), read_table(input, header), header.table_offset);
    for (const Section& section : sections) {
      if (!by_name.emplace(section.name, &section).second) {
        throw_damaged(input.path(), quoted(section.name), section.offset,
                      "second section of this name");
      }
    }
    file.emplace(std::move(input), loading);
    if (loading == Loading::mapped) return;
    for (const Section& section : sections) {
      file->load(section.offset, padded_bytes(section), quoted(section.name));
    }
  }

  const Section& find(std::string_view name) const {
    const auto found = by_name.find(name);
    if (found != by_name.end()) return *found->second;
    throw std::runtime_error(fmt::format("{}: {} is missing", file->path(), quoted(name)));
  }

  static std::size_t padded_bytes(const Section& section) {
    return section.bytes + padding_after(section.bytes);
  }

  /// Bytes [at, at + out.size()) of a section and its padding.
  void read(const Section& section, std::size_t at, std::span<std::byte> out) const {
    if (file->is_mapped()) {
      file->file().read(section.offset + at, out, quoted(section.name));
    } else {
      std::memcpy(out.data(), file->bytes().data() + section.offset + at, out.size());
    }
  }

  /// Calls `take` with one piece after the other of the section's bytes and padding, which it may
  /// keep; stops and returns false where it does. Else checks them all.
  bool verify(const Section& section,
              const std::function<bool(std::span<const std::byte>)>& take) const;

  FileHeader header;
  std::vector<Section> sections;  // in file order
  std::map<std::string_view, const Section*> by_name;
  std::optional<MappedFile> file;  // once header and table are known to be sound
};

bool SectionFile::State::verify(const Section& section,
                                const std::function<bool(std::span<const std::byte>)>& take) const {
  const std::size_t size = padded_bytes(section);
  std::vector<std::byte> buffer(std::min(size, kVerifyStep));
  std::uint32_t crc = 0;
  bool padding_is_zero = true;
  for (std::size_t at = 0; at < size; at += kVerifyStep) {
    const auto part = std::span(buffer).first(std::min(size - at, kVerifyStep));
    read(section, at, part);
    crc = crc32c(part, crc);
    const std::size_t padding =
        std::min(std::max<std::size_t>(section.bytes, at) - at, part.size());
    padding_is_zero &=
        std::ranges::all_of(part.subspan(padding), [](std::byte b) { return b == std::byte{0}; });
    if (!take(part)) return false;
  }
  const auto damaged = [&](std::string_view reason) {
    throw_damaged(file->path(), quoted(section.name), section.offset, reason);
  };
  if (crc != section.crc) damaged("checksum mismatch");
  if (!padding_is_zero) damaged("padding is not zero");
  return true;
}

SectionFile::SectionFile(const std::string& path, Loading loading)
    : state_(std::make_unique<State>(path, loading)) {}

SectionFile::~SectionFile() = default;

std::unique_ptr<const SectionFile> SectionFile::open(const std::string& path, Loading loading) {
  return std::make_unique<const SectionFile>(path, loading);
}

const std::string& SectionFile::path() const { return state_->file->path(); }

std::size_t SectionFile::file_bytes() const { return state_->file->bytes().size(); }

std::uint32_t SectionFile::format_version() const { return state_->header.format_version; }

std::vector<std::string> SectionFile::section_names() const {
  std::vector<std::string> names;
  for (const Section& section : state_->sections) names.push_back(section.name);
  return names;
}

void SectionFile::require_known(std::span<const std::string_view> known) const {
  for (const Section& section : state_->sections) {
    if (!section.required || std::ranges::find(known, section.name) != known.end()) continue;
    throw_damaged(path(), quoted(section.name), section.offset,
                  "this obliq does not know it, and it must be known to read the others: take a "
                  "newer obliq");
  }
}

bool SectionFile::has(std::string_view name) const { return state_->by_name.contains(name); }

std::span<const std::byte> SectionFile::section(std::string_view name) const {
  const Section& section = state_->find(name);
  return state_->file->bytes().subspan(section.offset, section.bytes);
}

std::uint64_t SectionFile::offset(std::string_view name) const { return state_->find(name).offset; }

void SectionFile::advise(Access access) const {
  state_->file->advise(state_->file->bytes(), access);
}

void SectionFile::advise(std::string_view name, Access access) const {
  state_->file->advise(section(name), access);
}

void SectionFile::verify(std::string_view name) const {
  state_->verify(state_->find(name), [](std::span<const std::byte>) { return true; });
}

std::vector<std::byte> SectionFile::verified_copy(std::string_view name) const {
  const Section& section = state_->find(name);
  std::vector<std::byte> copy;
  copy.reserve(State::padded_bytes(section));
  state_->verify(section, [&copy](std::span<const std::byte> part) {
    copy.insert(copy.end(), part.begin(), part.end());
    return true;
  });
  copy.resize(section.bytes);
  return copy;
}

void SectionFile::verify_all(const std::function<bool(double)>& progress) const {
  const auto total = static_cast<double>(file_bytes());
  std::size_t done = sizeof(FileHeader);
  const auto step = [&](std::span<const std::byte> part) {
    done += part.size();
    return !progress || progress(static_cast<double>(done) / total);
  };
  for (const Section& section : state_->sections) {
    if (!state_->verify(section, step)) return;
  }
}

}  // namespace obliq
