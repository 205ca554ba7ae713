// What is written to a section file comes back, and misuse is told from damage.
#include "storage/section_file.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/storage/damage.h"

namespace obliq {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

Bytes copy(std::span<const std::byte> bytes) { return {bytes.begin(), bytes.end()}; }

TEST(SectionFile, GivesBackEverySectionAtEveryLengthAroundThePadding) {
  const TemporaryFolder folder;
  SectionWriter writer(folder / "many");
  for (std::size_t i = 0; i < 200; ++i) writer.add(fmt::format("s{}", i), counting_bytes(i));
  writer.commit();

  const auto file = SectionFile::open(folder / "many");
  ASSERT_EQ(file->section_names().size(), 200U);
  std::uint64_t end = 64;
  for (std::size_t i = 0; i < 200; ++i) {
    const std::string name = fmt::format("s{}", i);
    EXPECT_EQ(file->section_names()[i], name);
    EXPECT_EQ(copy(file->section(name)), counting_bytes(i));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(file->section(name).data()) % 64, 0U);
    EXPECT_EQ(file->offset(name), end);
    file->verify(name);
    end += (i + 63) / 64 * 64;
  }
  EXPECT_EQ(file->file_bytes(), end + 200 * 40);
  EXPECT_EQ(file->file_bytes(), std::filesystem::file_size(folder / "many"));
  EXPECT_EQ(file->format_version(), 2U);
  EXPECT_EQ(file->path(), folder / "many");
  file->verify_all();
}

TEST(SectionFile, CanHoldNoSectionAtAll) {
  const TemporaryFolder folder;
  SectionWriter(folder / "none").commit();
  const SectionFile file(folder / "none");
  EXPECT_TRUE(file.section_names().empty());
  EXPECT_EQ(file.file_bytes(), 64U);
  file.verify_all();
}

TEST(SectionFile, AppendsInPiecesOfAnySize) {
  const TemporaryFolder folder;
  const Bytes big = counting_bytes((std::size_t{3} << 20) + 5);  // thrice the writer's buffer
  SectionWriter writer(folder / "pieces");
  writer.begin("big");
  writer.append(big);
  writer.begin("pieces");
  for (std::size_t at = 0, piece = 1; at < big.size(); at += piece, piece = piece * 3 + 1) {
    writer.append(std::span(big).subspan(at, std::min(piece, big.size() - at)));
  }
  writer.append({});
  writer.commit();
  const SectionFile file(folder / "pieces");
  EXPECT_EQ(copy(file.section("big")), big);
  EXPECT_EQ(copy(file.section("pieces")), big);
  file.verify_all();
}

TEST(SectionFile, NamesAMissingSection) {
  const TemporaryFolder folder;
  write_sections(folder / "f", {{"here", counting_bytes(3)}});
  const SectionFile file(folder / "f");
  EXPECT_TRUE(file.has("here"));
  EXPECT_FALSE(file.has("gone"));
  EXPECT_FALSE(file.has(""));
  const auto missing =
      ThrowsMessage<std::runtime_error>((folder / "f") + ": section 'gone' is missing");
  EXPECT_THAT([&] { file.section("gone"); }, missing);
  EXPECT_THAT([&] { file.offset("gone"); }, missing);
  EXPECT_THAT([&] { file.verify("gone"); }, missing);
}

TEST(SectionFile, ReportsProgressUpToTheEndAndStopsWhenAsked) {
  const TemporaryFolder folder;
  const Bytes bytes = counting_bytes(std::size_t{9} << 20);
  write_sections(folder / "f", {{"a", bytes}, {"b", bytes}});
  const SectionFile file(folder / "f");
  std::vector<double> shares;
  file.verify_all([&](double share) {
    shares.push_back(share);
    return true;
  });
  ASSERT_EQ(shares.size(), 6U);
  EXPECT_TRUE(std::ranges::is_sorted(shares));
  EXPECT_GT(shares.front(), 0.2);
  EXPECT_LE(shares.back(), 1.0);
  EXPECT_GT(shares.back(), 0.999);

  int calls = 0;
  file.verify_all([&](double) { return ++calls < 2; });
  EXPECT_EQ(calls, 2);
}

TEST(SectionWriter, RefusesNamesThatCannotBeStored) {
  const TemporaryFolder folder;
  SectionWriter writer(folder / "f");
  for (const std::string name : {"", "sixteen_letters_", "a b", "tab\t", "\xC3\xA9", "\x7F"}) {
    EXPECT_THROW(writer.begin(name), std::invalid_argument) << name;
  }
  EXPECT_THROW(writer.begin(std::string("a\0b", 3)), std::invalid_argument);
  writer.begin("fifteen_letters");
  EXPECT_THAT([&] { writer.begin("fifteen_letters"); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("'fifteen_letters' begun twice")));
  writer.commit();
  EXPECT_THAT(SectionFile(folder / "f").section_names(), ElementsAre("fifteen_letters"));
}

TEST(SectionWriter, RefusesBytesOutsideASectionAndCallsAfterCommit) {
  const TemporaryFolder folder;
  SectionWriter writer(folder / "f");
  EXPECT_THROW(writer.append(counting_bytes(1)), std::invalid_argument);
  writer.add("a", counting_bytes(1));
  writer.commit();
  EXPECT_THROW(writer.append(counting_bytes(1)), std::invalid_argument);
  EXPECT_THROW(writer.begin("b"), std::invalid_argument);
  EXPECT_THROW(writer.commit(), std::invalid_argument);
  SectionFile(folder / "f").verify_all();
}

}  // namespace
}  // namespace obliq
