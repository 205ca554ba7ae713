// The bytes are those of docs/file_format.md, number by number, and stay so: the file in golden/
// was written by the first build of format version 1 and must be read, and written, the same for
// ever.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "storage/crc32c.h"
#include "storage/section_file.h"
#include "tests/storage/damage.h"

namespace obliq {
namespace {

std::string text_at(const Bytes& file, std::size_t offset, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += static_cast<char>(file.at(offset + i));
  return text;
}

/// The little-endian number of `count` bytes.
std::uint64_t number_at(const Bytes& file, std::size_t offset, std::size_t count) {
  std::uint64_t number = 0;
  for (std::size_t i = count; i-- > 0;) {
    number = number << 8 | static_cast<std::uint64_t>(file.at(offset + i));
  }
  return number;
}

std::uint32_t crc_of(const Bytes& file, std::size_t offset, std::size_t count) {
  return crc32c(std::span(file).subspan(offset, count));
}

std::size_t zeros_at(const Bytes& file, std::size_t offset) {
  const auto from = file.begin() + static_cast<std::ptrdiff_t>(offset);
  const auto end = std::find_if(from, file.end(), [](std::byte b) { return b != std::byte{0}; });
  return static_cast<std::size_t>(end - from);
}

TEST(SectionFormat, IsTheDocumentedOne) {
  using std::string_view_literals::operator""sv;
  const TemporaryFolder folder;
  write_sections(folder / "f", {{"first", counting_bytes(70)}, {"second", counting_bytes(2)}});
  const Bytes file = read_bytes(folder / "f");
  ASSERT_EQ(file.size(), 64U + 128 + 64 + 2 * 40);

  EXPECT_EQ(text_at(file, 0, 8), "OBLIQIX\0"sv);
  EXPECT_EQ(number_at(file, 8, 4), 2U);            // format version
  EXPECT_EQ(number_at(file, 12, 4), 2U);           // sections
  EXPECT_EQ(number_at(file, 16, 8), file.size());  // file size
  EXPECT_EQ(number_at(file, 24, 8), 256U);         // table offset
  EXPECT_EQ(number_at(file, 32, 4), crc_of(file, 256, 80));
  EXPECT_GE(zeros_at(file, 36), 24U);
  EXPECT_EQ(number_at(file, 60, 4), crc_of(file, 0, 60));

  EXPECT_EQ(text_at(file, 64, 3), "\x01\x08\x0f");
  EXPECT_GE(zeros_at(file, 64 + 70), 58U);
  EXPECT_EQ(text_at(file, 192, 2), "\x01\x08");
  EXPECT_GE(zeros_at(file, 192 + 2), 62U);

  EXPECT_EQ(text_at(file, 296, 16), "second\0\0\0\0\0\0\0\0\0\0"sv);
  EXPECT_EQ(number_at(file, 312, 8), 192U);  // offset
  EXPECT_EQ(number_at(file, 320, 8), 2U);    // size
  EXPECT_EQ(number_at(file, 328, 4), crc_of(file, 192, 64));
  EXPECT_EQ(number_at(file, 332, 4), 0U);  // flags
}

TEST(SectionFormat, RefusesASectionThatMustBeKnown) {
  const TemporaryFolder folder;
  SectionWriter writer(folder / "f");
  writer.add("first", counting_bytes(7), Need::required);
  writer.add("second", counting_bytes(7));
  writer.add("third", counting_bytes(7), Need::required);
  writer.commit();
  const SectionFile file(folder / "f");
  const std::vector<std::string_view> all = {"first", "third"};
  EXPECT_NO_THROW(file.require_known(all));
  try {
    file.require_known(std::span(all).first(1));
    FAIL() << "section 'third' was let pass";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("section 'third' at offset 192"), std::string::npos);
  }
}

// Format 1 was never promised to anybody.
TEST(SectionFormat, OfVersion1IsRefusedWithTheRemedy) {
  try {
    const SectionFile file(OBLIQ_SOURCE_DIR "/tests/golden/section_file_v1.bin");
    FAIL() << "format 1 was let pass";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("build the index again"), std::string::npos);
  }
}

TEST(SectionFormat, OfVersion2IsReadAndWrittenAsEver) {
  const TemporaryFolder folder;
  const std::string golden = OBLIQ_SOURCE_DIR "/tests/golden/section_file_v2.bin";
  const SectionFile file(golden);
  EXPECT_EQ(file.format_version(), 2U);
  file.verify_all();
  EXPECT_TRUE(std::ranges::equal(file.section("last"), counting_bytes(70)));
  write_small_file(folder / "again");
  EXPECT_EQ(read_bytes(folder / "again"), read_bytes(golden));
}

}  // namespace
}  // namespace obliq
