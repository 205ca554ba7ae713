// Reads the sections of one file and refuses what does not fit. What leads a search to other
// places, the records of lists and groups above all, is copied out of a mapped file before it is
// checked: a file that is written over while it is in use may then change answers, but not lead a
// search astray.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "storage/section_file.h"

namespace obliq {

class SectionReader {
 public:
  /// Throws as SectionFile does.
  SectionReader(const std::string& path, Loading loading)
      : bytes_(std::make_shared<FileAndCopies>(path, loading)),
        is_mapped_(loading == Loading::mapped) {}

  const SectionFile& file() const { return bytes_->file; }
  bool has(std::string_view section) const { return file().has(section); }
  /// Throws std::runtime_error naming file, section and offset.
  [[noreturn]] void refuse(std::string_view section, const std::string& reason) const {
    throw fault(section, reason);
  }
  /// That error.
  std::runtime_error fault(std::string_view section, const std::string& reason) const;

  /// The section as `count` items of `width` values; its size must be exactly that.
  template <typename T>
  std::span<const T> array(std::string_view section, std::uint64_t count,
                           std::uint64_t width) const {
    return as_array<T>(section, file().section(section), count, width);
  }
  /// The same, of bytes whose checksum holds, and which stay as they are.
  template <typename T>
  std::span<const T> fixed_array(std::string_view section, std::uint64_t count,
                                 std::uint64_t width) {
    return as_array<T>(section, fixed(section), count, width);
  }
  /// All of a section as such.
  template <typename T>
  std::span<const T> fixed_all(std::string_view section) {
    const std::size_t count = file().section(section).size() / sizeof(T);
    return fixed_array<T>(section, count, 1);
  }
  std::span<const std::byte> fixed(std::string_view section);
  /// Checks the checksum of a section.
  void verify(std::string_view section) const { file().verify(section); }

  /// Keeps the bytes of all spans.
  std::shared_ptr<const void> owner() const { return bytes_; }

 private:
  // A file and copies of some of its sections.
  struct FileAndCopies {
    FileAndCopies(const std::string& path, Loading loading) : file(path, loading) {}
    SectionFile file;
    std::deque<std::vector<std::byte>> copies;
  };

  void check_size(std::string_view section, std::size_t bytes, std::uint64_t count,
                  std::uint64_t item_bytes) const;
  template <typename T>
  std::span<const T> as_array(std::string_view section, std::span<const std::byte> bytes,
                              std::uint64_t count, std::uint64_t width) const {
    check_size(section, bytes.size(), count, width * sizeof(T));
    return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
  }

  std::shared_ptr<FileAndCopies> bytes_;
  bool is_mapped_;
};

}  // namespace obliq
