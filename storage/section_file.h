// A file of named, checksummed sections: how an index survives. Knows nothing of vectors.
// Byte layout: docs/file_format.md. Everything is little-endian; every byte of the file, padding
// included, lies under a CRC32C.
//
// Writing goes to a temporary file in the same folder, which is synced and renamed over `path`
// (storage/atomic_file.h): a killed process or a full disk leaves the old file as it was.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/mapped_file.h"
#include "storage/section_sink.h"

namespace obliq {

/// Writes sections one after another. Not committed: nothing is left behind. Once a call has thrown
/// std::system_error, the temporary file is gone and further calls throw std::invalid_argument.
class SectionWriter final : public SectionSink {
 public:
  /// Throws as the constructor of AtomicFile does.
  explicit SectionWriter(std::string path);
  ~SectionWriter() override;

  void expect(std::uint64_t bytes_to_come) override;
  /// Each section starts at a multiple of 64 bytes. Throws std::invalid_argument for a name that is
  /// none or was used.
  void begin(std::string_view name, Need need = Need::optional) override;
  /// Throws std::system_error on a full disk.
  void append(std::span<const std::byte> bytes) override;
  /// The bytes as they lie in the temporary file, mapped.
  std::span<const std::byte> written(std::string_view name) override;
  /// Finishes, syncs and renames. Call once.
  void commit();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The size of a file with sections of these sizes, in bytes.
std::uint64_t section_file_bytes(std::span<const std::uint64_t> sections);

/// A file of sections. Immutable; its spans live as long as it does.
class SectionFile {
 public:
  /// Checks magic, version, header, table and the bounds of every section against the file's size,
  /// then maps or reads the rest of `path`. Throws std::system_error when it cannot be opened or
  /// read, "path: cannot read section 'x' at offset n: meaning"; std::runtime_error "path: section
  /// 'x' at offset n: reason" when it is damaged.
  static std::unique_ptr<const SectionFile> open(const std::string& path,
                                                 Loading loading = Loading::mapped);
  /// The same, for a SectionFile that is a member or a local.
  explicit SectionFile(const std::string& path, Loading loading = Loading::mapped);
  ~SectionFile();
  SectionFile(const SectionFile&) = delete;
  SectionFile& operator=(const SectionFile&) = delete;

  const std::string& path() const;
  std::size_t file_bytes() const;
  std::uint32_t format_version() const;
  std::vector<std::string> section_names() const;
  /// Throws std::runtime_error where a section that must be known is not among `known`.
  void require_known(std::span<const std::string_view> known) const;
  bool has(std::string_view name) const;
  /// The bytes of a section, 64-byte aligned. Throws std::runtime_error when it is missing.
  std::span<const std::byte> section(std::string_view name) const;
  /// Where a section starts in the file, for error messages.
  std::uint64_t offset(std::string_view name) const;
  /// Tells the system how all bytes of a mapped file, or those of one section, will be read.
  void advise(Access access) const;
  void advise(std::string_view name, Access access) const;
  /// Recomputes the checksum of one section, which reads it all, through the system even where the
  /// file is mapped. Throws as open does, also when the file has been cut since it was opened.
  void verify(std::string_view name) const;
  /// The bytes of a section whose checksum holds: unlike those of section(), they stay as they are
  /// when the file is written over. Throws as verify does.
  std::vector<std::byte> verified_copy(std::string_view name) const;
  /// Recomputes all of them; `progress` gets the share done and may return false to stop early.
  void verify_all(const std::function<bool(double)>& progress = {}) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace obliq
