// Opens arbitrary bytes as a section file, as they are and with their checksums mended, since
// otherwise hardly an input would get past them. Whatever is accepted must be sound: sections
// within the file, and the same file, byte for byte, when its sections are written again.
//
// Inputs pass through a file: TMPDIR=/dev/shm makes that fast.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "storage/section_file.h"
#include "tests/storage/damage.h"

namespace obliq {
namespace {

/// A fuzz target's assertion: true in every build, ended by the fuzzer's own report.
void require(bool holds) {
  if (!holds) std::abort();
}

/// The sections, each touched at both ends, if the whole file verifies.
std::optional<std::vector<std::string>> verified_sections(const SectionFile& file) {
  const auto names = file.section_names();
  std::uint64_t end = 64;
  for (const std::string& name : names) {
    const auto bytes = file.section(name);
    require(file.has(name) && file.offset(name) == end);
    end += bytes.size() + padding_after(bytes.size());
    require(end <= file.file_bytes());
  }
  try {
    file.verify_all();
  } catch (const std::runtime_error&) {
    return std::nullopt;
  }
  return names;
}

void expect_same_when_written_again(const SectionFile& file, const std::vector<std::string>& names,
                                    const std::string& path, const Bytes& bytes) {
  SectionWriter writer(path);
  for (const std::string& name : names) writer.add(name, file.section(name));
  writer.commit();
  require(read_bytes(path) == bytes);
}

void try_open(const std::string& path, const Bytes& bytes) {
  write_bytes(path, bytes);
  std::unique_ptr<const SectionFile> file;
  try {
    file = SectionFile::open(path);
  } catch (const std::runtime_error& error) {
    require(std::string_view(error.what()).starts_with(path + ": "));
    return;
  }
  const auto names = verified_sections(*file);
  if (names) expect_same_when_written_again(*file, *names, path + ".again", bytes);
}

}  // namespace
}  // namespace obliq

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const obliq::TemporaryFolder folder;
  obliq::Bytes bytes(size);
  std::transform(data, data + size, bytes.begin(), [](auto byte) { return std::byte{byte}; });
  obliq::try_open(folder / "input", bytes);
  if (size >= sizeof(obliq::FileHeader)) {
    obliq::reseal(bytes);
    obliq::try_open(folder / "input", bytes);
  }
  return 0;
}
