// Staging files: in memory and in a temporary file they come back alike, and the file is
// nowhere.
#include "storage/staging_file.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <system_error>

#include "tests/storage/files.h"

namespace obliq {
namespace {

TEST(StagingFile, GivesBackWhatWasAppendedInMemoryAndInAFile) {
  const TemporaryFolder folder;
  std::vector<std::uint8_t> bytes(100000);
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{0});
  for (const bool in_file : {false, true}) {
    StagingFile staging = in_file ? StagingFile(folder.path()) : StagingFile();
    EXPECT_EQ(staging.in_memory(), !in_file);
    staging.reserve(bytes.size());
    staging.append(std::span(bytes).first(70000));
    staging.append(std::span(bytes).subspan(70000));
    EXPECT_EQ(staging.size(), bytes.size());
    std::vector<std::uint8_t> buffer;
    const auto part = staging.read(69990, 500, buffer);
    EXPECT_TRUE(std::equal(part.begin(), part.end(), bytes.begin() + 69990));
    EXPECT_EQ(staging.read(bytes.size(), 0, buffer).size(), 0U);
    EXPECT_EQ(file_count(folder), 0U);
  }
}

TEST(StagingFile, KeepsChangesInMemoryAndForgetsThemInAFile) {
  const TemporaryFolder folder;
  const std::vector<std::uint8_t> bytes(10, 1);
  for (const bool in_file : {false, true}) {
    StagingFile staging = in_file ? StagingFile(folder.path()) : StagingFile();
    staging.append(bytes);
    std::vector<std::uint8_t> buffer;
    staging.edit(3, 2, buffer)[0] = 9;
    EXPECT_EQ(staging.read(3, 1, buffer)[0], in_file ? 1 : 9);
  }
}

TEST(StagingFile, NamesTheFolderThatHasNoRoomForATemporaryFile) {
  try {
    const StagingFile staging("/nowhere/at/all");
    FAIL() << "made a file nowhere";
  } catch (const std::system_error& error) {
    EXPECT_NE(std::string(error.what()).find("/nowhere/at/all"), std::string::npos);
    EXPECT_EQ(error.code().value(), ENOENT);
  }
}

TEST(TemporaryFolder, RemovesThoseOfDeadProcessesAndNoOthers) {
  namespace fs = std::filesystem;
  const TemporaryFolder parent;
  const char* before = std::getenv("TMPDIR");
  const std::string kept = before == nullptr ? "" : before;
  ::setenv("TMPDIR", parent.path().c_str(), 1);
  for (const char* name : {"obliq-folder-aB3xYz", "obliq-folder-longer1", "other"}) {
    fs::create_directories(parent / name + "/in");
  }
  {
    const TemporaryFolder alive;
    write_bytes(alive / "f", Bytes(3));
    const TemporaryFolder next;
    EXPECT_TRUE(fs::exists(alive / "f"));
    EXPECT_FALSE(fs::exists(parent / "obliq-folder-aB3xYz"));
    EXPECT_EQ(file_count(parent), 4U);
  }
  EXPECT_EQ(file_count(parent), 2U);
  before == nullptr ? ::unsetenv("TMPDIR") : ::setenv("TMPDIR", kept.c_str(), 1);
}

TEST(SectionWriter, ShowsWhatItHasWrittenBeforeTheFileIsThere) {
  const TemporaryFolder folder;
  SectionWriter writer(folder / "file");
  const Bytes bytes(1000, std::byte{7});
  writer.add("first", bytes);
  writer.add("second", bytes);
  const auto seen = writer.written("first");
  EXPECT_TRUE(std::ranges::equal(seen, bytes));
  EXPECT_THROW((void)writer.written("third"), std::invalid_argument);
  writer.add("third", bytes);
  writer.commit();
  EXPECT_TRUE(std::ranges::equal(seen, bytes));
  EXPECT_TRUE(std::ranges::equal(SectionFile(folder / "file").section("third"), bytes));
}

}  // namespace
}  // namespace obliq
