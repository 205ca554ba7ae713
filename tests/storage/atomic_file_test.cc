// A file is replaced whole or not at all, whoever else writes it, reads it or dies; its permissions
// and the link that leads to it stay.
#include "storage/atomic_file.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include "storage/section_file.h"
#include "tests/storage/damage.h"

namespace obliq {
namespace {

namespace fs = std::filesystem;
using ::testing::StartsWith;
using ::testing::ThrowsMessage;

constexpr int kWriters = 4;

mode_t permissions(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0);
  return status.st_mode & 07777;
}

void replace(const std::string& path, const Bytes& bytes) {
  AtomicFile file(path);
  file.append(bytes);
  file.commit();
}

/// A file that says of every part who wrote it.
void write_signed(const std::string& path, int writer) {
  const Bytes bytes(std::size_t{300000} + 64 * writer, static_cast<std::byte>(writer));
  write_sections(path, {{"a", bytes}, {"b", bytes}});
}

/// Fails unless one writer made all of the file.
void expect_one_writer(const std::string& path) {
  const SectionFile file(path);
  file.verify_all();
  const auto a = file.section("a");
  const auto b = file.section("b");
  ASSERT_FALSE(a.empty());
  EXPECT_EQ(a.size(), 300000 + 64 * static_cast<std::size_t>(a.front()));
  EXPECT_TRUE(std::ranges::all_of(a, [&](std::byte byte) { return byte == a.front(); }));
  EXPECT_TRUE(std::ranges::equal(a, b));
}

/// A child process that writes `path` again and again, `rounds` times.
pid_t start_writer(const std::string& path, int writer, int rounds) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  try {
    for (int round = 0; round < rounds; ++round) write_signed(path, writer);
  } catch (...) {
    ::_exit(1);
  }
  ::_exit(0);
}

TEST(AtomicFile, ReplacesOnlyAtCommit) {
  const TemporaryFolder folder;
  const std::string path = folder / "f";
  replace(path, counting_bytes(10));
  {
    AtomicFile file(path);
    file.append(counting_bytes(std::size_t{2} << 20));
    EXPECT_EQ(file.size(), std::uint64_t{2} << 20);
    EXPECT_EQ(read_bytes(path), counting_bytes(10));
    EXPECT_EQ(file_count(folder), 2U);
  }
  EXPECT_EQ(read_bytes(path), counting_bytes(10));
  EXPECT_EQ(file_count(folder), 1U);
  replace(path, {});
  EXPECT_EQ(read_bytes(path), Bytes());
}

TEST(AtomicFile, OverwritesWhatIsBufferedAndWhatIsWritten) {
  const TemporaryFolder folder;
  Bytes expected = counting_bytes((std::size_t{1} << 20) + 500);
  AtomicFile file(folder / "f");
  const auto patch = [&](std::size_t at) {
    const Bytes bytes(3, std::byte{0xEE});
    file.overwrite(at, bytes);
    std::ranges::copy(bytes, expected.begin() + static_cast<std::ptrdiff_t>(at));
  };
  file.append(std::span(expected).first(100));
  patch(97);
  file.append(std::span(expected).subspan(100));
  patch(0);
  patch(expected.size() - 3);
  file.commit();
  EXPECT_EQ(read_bytes(folder / "f"), expected);
}

TEST(AtomicFile, GivesANewFileThePermissionsTheUmaskLeaves) {
  const TemporaryFolder folder;
  const mode_t before = ::umask(027);
  replace(folder / "f", counting_bytes(1));
  ::umask(before);
  EXPECT_EQ(permissions(folder / "f"), 0640U);
}

TEST(AtomicFile, KeepsThePermissionsOfTheFileItReplaces) {
  const TemporaryFolder folder;
  const std::string path = folder / "f";
  write_bytes(path, {});
  for (const mode_t mode : {0600U, 0664U, 0444U}) {
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
    replace(path, counting_bytes(3));
    EXPECT_EQ(permissions(path), mode);
  }
}

TEST(AtomicFile, ReplacesTheFileThatALinkPointsTo) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "real");
  write_bytes(folder / "real/f", counting_bytes(1));
  fs::create_symlink("real/f", folder / "link");
  replace(folder / "link", counting_bytes(9));
  EXPECT_TRUE(fs::is_symlink(folder / "link"));
  EXPECT_EQ(read_bytes(folder / "real/f"), counting_bytes(9));
  EXPECT_EQ(file_count(folder), 2U);
}

TEST(AtomicFile, StaysInItsFolderWhenTheWorkingDirectoryChanges) {
  const TemporaryFolder folder;
  const TemporaryFolder elsewhere;
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  AtomicFile file("relative");
  fs::current_path(elsewhere.path());
  file.append(counting_bytes(5));
  file.commit();
  fs::current_path(before);
  EXPECT_EQ(read_bytes(folder / "relative"), counting_bytes(5));
  EXPECT_EQ(file_count(elsewhere), 0U);
}

TEST(AtomicFile, RefusesAtOnceWhatItCouldNotReplace) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "folder");
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  for (const auto* name : {"folder", "pipe", "missing/f", "pipe/f"}) {
    EXPECT_THAT([&] { AtomicFile file(folder / name); },
                ThrowsMessage<std::system_error>(StartsWith(folder / name + ": cannot ")));
  }
  for (const auto* name : {"", ".", "..", "folder/"}) {
    const std::string path = *name == '\0' ? "" : folder / name;
    EXPECT_THROW(AtomicFile file(path), std::invalid_argument) << path;
  }
  EXPECT_EQ(file_count(folder), 2U);
}

TEST(AtomicFile, TakesWhatIsWrittenToItsTemporaryPath) {
  const TemporaryFolder folder;
  replace(folder / "f", counting_bytes(9));
  AtomicFile file(folder / "f");
  std::ofstream(file.temporary_path(), std::ios::trunc) << "other";
  EXPECT_EQ(read_bytes(folder / "f"), counting_bytes(9));
  file.commit();
  EXPECT_EQ(read_bytes(folder / "f").size(), 5U);
  EXPECT_EQ(file_count(folder), 1U);
  EXPECT_THROW(file.temporary_path(), std::invalid_argument);
}

TEST(AtomicFile, LeavesTheTemporaryFilesOfOthersAlone) {
  const TemporaryFolder folder;
  const std::string path = folder / "f";
  const std::string left = fmt::format("{}.tmp-{}-0", path, ::getpid());  // by an earlier process
  write_bytes(left, counting_bytes(8));
  replace(path, counting_bytes(3));
  EXPECT_EQ(read_bytes(path), counting_bytes(3));
  EXPECT_EQ(read_bytes(left), counting_bytes(8));
  EXPECT_EQ(file_count(folder), 2U);
}

TEST(SectionWriter, LeavesNothingBehindWithoutCommit) {
  const TemporaryFolder folder;
  { SectionWriter(folder / "f").add("a", counting_bytes(std::size_t{3} << 20)); }
  EXPECT_EQ(file_count(folder), 0U);
}

TEST(SectionWriter, KeepsApartTwoThatWriteOnePathAtOnce) {
  const TemporaryFolder folder;
  const std::string path = folder / "f";
  SectionWriter first(path);
  SectionWriter second(path);
  for (int i = 0; i < 20; ++i) {
    first.add(fmt::format("first{}", i), counting_bytes(100000));
    second.add(fmt::format("second{}", i), counting_bytes(90000));
  }
  second.commit();
  EXPECT_EQ(SectionFile(path).section_names().front(), "second0");
  first.commit();
  const SectionFile file(path);
  file.verify_all();
  EXPECT_EQ(file.section_names().front(), "first0");
  EXPECT_EQ(file_count(folder), 1U);
}

TEST(SectionWriter, KeepsApartProcessesThatWriteOnePathAtOnce) {
  const TemporaryFolder folder;
  const std::string path = folder / "f";
  write_signed(path, 0);
  for (int writer = 1; writer <= kWriters; ++writer) start_writer(path, writer, 10);
  int running = kWriters;
  while (running > 0) {
    int status = 0;
    if (::waitpid(-1, &status, WNOHANG) > 0) {
      EXPECT_EQ(status, 0);
      --running;
    }
    expect_one_writer(path);
  }
  EXPECT_EQ(file_count(folder), 1U);
}

TEST(SectionWriter, LeavesAWholeFileWhenKilledAtAnyMoment) {
  const TemporaryFolder folder;
  const std::string path = folder / "f";
  write_signed(path, 0);
  for (int round = 0; round < 20; ++round) {
    const pid_t child = start_writer(path, 1 + round % kWriters, 1 << 20);
    ::usleep(static_cast<useconds_t>(1000 + round * 700));
    ::kill(child, SIGKILL);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    expect_one_writer(path);
  }
}

TEST(SectionFile, StaysReadableAfterItIsReplacedOrRemoved) {
  const TemporaryFolder folder;
  const std::string path = folder / "f";
  write_small_file(path);
  const SectionFile file(path);
  write_sections(path, {{"new", counting_bytes(1)}});
  file.verify_all();
  EXPECT_TRUE(std::ranges::equal(file.section("last"), counting_bytes(70)));
  fs::remove(path);
  file.verify_all();
}

}  // namespace
}  // namespace obliq
