// Where the sections of a file go: to the file (section_file.h), or to memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace obliq {

/// Whether a reader that does not know a section may read the others.
enum class Need { optional, required };

/// Takes sections one after another.
class SectionSink {
 public:
  SectionSink() = default;
  SectionSink(const SectionSink&) = delete;
  SectionSink& operator=(const SectionSink&) = delete;
  virtual ~SectionSink() = default;

  /// Tells how many bytes are to come, for the message that there is no room for them.
  virtual void expect(std::uint64_t bytes_to_come) = 0;
  /// Starts a section; names are 1 to 15 visible ASCII characters, each used once.
  virtual void begin(std::string_view name, Need need = Need::optional) = 0;
  /// Adds bytes to the section begun last.
  virtual void append(std::span<const std::byte> bytes) = 0;
  /// The bytes of a section so far; valid until more are added, as long as this. Throws
  /// std::invalid_argument when there is none of the name.
  virtual std::span<const std::byte> written(std::string_view name) = 0;

  /// begin + append.
  void add(std::string_view name, std::span<const std::byte> bytes, Need need = Need::optional) {
    begin(name, need);
    append(bytes);
  }
};

/// Keeps sections in memory.
class SectionMemory final : public SectionSink {
 public:
  void expect(std::uint64_t) override {}
  void begin(std::string_view name, Need need = Need::optional) override;
  void append(std::span<const std::byte> bytes) override;
  std::span<const std::byte> written(std::string_view name) override;

 private:
  std::map<std::string, std::vector<std::byte>, std::less<>> sections_;
  std::vector<std::byte>* last_ = nullptr;
};

}  // namespace obliq
