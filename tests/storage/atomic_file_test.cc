// A file is replaced whole or not at all, whoever else writes it, reads it or dies; its permissions
// and the link that leads to it stay.
#include "storage/atomic_file.h"

#include <fcntl.h>
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
#include <functional>
#include <iterator>
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
  AtomicFile file(folder / "f", AtomicFile::Access::random);
  const auto patch = [&](std::size_t at) {
    const Bytes bytes(3, std::byte{0xEE});
    file.write_at(at, bytes);
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
  write_bytes(folder / "file", {});
  for (const auto* name : {"folder", "missing/f", "file/f"}) {
    EXPECT_THAT([&] { AtomicFile file(folder / name); },
                ThrowsMessage<std::system_error>(StartsWith(folder / name + ": cannot ")));
  }
  for (const auto* name : {"", ".", "..", "folder/"}) {
    const std::string path = *name == '\0' ? "" : folder / name;
    EXPECT_THROW(AtomicFile file(path), std::invalid_argument) << path;
  }
  EXPECT_EQ(file_count(folder), 2U);
}

TEST(AtomicFile, WritesAndReadsAtAnyPlaceAndFillsGapsWithZeros) {
  const TemporaryFolder folder;
  AtomicFile file(folder / "f", AtomicFile::Access::random);
  file.write_at(6, counting_bytes(2));
  EXPECT_EQ(file.size(), 8U);
  Bytes seen(4, std::byte{9});
  file.read_at(5, seen);
  EXPECT_EQ(seen, (Bytes{std::byte{0}, counting_bytes(2)[0], counting_bytes(2)[1], std::byte{0}}));
  file.commit();
  EXPECT_EQ(read_bytes(folder / "f").size(), 8U);
}

TEST(AtomicFile, KeepsTheOwnerOfTheFileItReplacesOrRefuses) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root gives files away";
  const TemporaryFolder folder;
  const std::string path = folder / "f";
  write_bytes(path, {});
  ASSERT_EQ(::chown(path.c_str(), 12, 34), 0);
  ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
  replace(path, counting_bytes(3));
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, 12U);
  EXPECT_EQ(status.st_gid, 34U);
  EXPECT_EQ(permissions(path), 0600U);

  ASSERT_EQ(::chmod(folder.path().c_str(), 0777), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setgid(56) != 0 || ::setuid(78) != 0) ::_exit(1);
    try {
      replace(path, {});
    } catch (const std::system_error& error) {
      ::_exit(error.code().value() == EPERM ? 3 : 4);
    }
    ::_exit(2);
  }
  int outcome = 0;
  ASSERT_EQ(::waitpid(child, &outcome, 0), child);
  EXPECT_TRUE(WIFEXITED(outcome) && WEXITSTATUS(outcome) == 3) << outcome;
  EXPECT_EQ(read_bytes(path), counting_bytes(3));
  EXPECT_EQ(file_count(folder), 1U);
}

TEST(AtomicFile, MakesTheFileThatADanglingLinkPointsTo) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "real");
  fs::create_symlink("second", folder / "first");
  fs::create_symlink("real/f", folder / "second");
  replace(folder / "first", counting_bytes(9));
  EXPECT_TRUE(fs::is_symlink(folder / "first"));
  EXPECT_TRUE(fs::is_symlink(folder / "second"));
  EXPECT_EQ(read_bytes(folder / "real/f"), counting_bytes(9));
  fs::create_symlink("loop", folder / "loop");
  EXPECT_THROW(AtomicFile(folder / "loop"), std::system_error);
}

TEST(AtomicFile, TakesNamesAsLongAsTheFileSystemDoes) {
  const TemporaryFolder folder;
  const std::string path = folder / std::string(255, 'n');
  replace(path, counting_bytes(9));
  EXPECT_EQ(read_bytes(path), counting_bytes(9));
  EXPECT_THROW(replace(folder / std::string(256, 'n'), {}), std::system_error);
  EXPECT_EQ(file_count(folder), 1U);
}

TEST(AtomicFile, RefusesPathsThatNoFileCanHave) {
  for (const std::string& path : {std::string("a\0b", 3), std::string()}) {
    EXPECT_THROW(AtomicFile{path}, std::invalid_argument);
  }
}

/// What a child process reads from a pipe while `write` writes it.
std::string through_pipe(const std::string& pipe, const std::function<void()>& write) {
  const std::string copy = pipe + ".copy";
  const pid_t child = ::fork();
  if (child == 0) {
    ::execlp("cp", "cp", pipe.c_str(), copy.c_str(), nullptr);
    ::_exit(1);
  }
  write();
  ::waitpid(child, nullptr, 0);
  std::ifstream in(copy, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

TEST(AtomicFile, WritesThroughAPipeWhicheverWayItIsWritten) {
  const TemporaryFolder folder;
  const std::string pipe = folder / "pipe";
  const Bytes many = counting_bytes((std::size_t{3} << 20) + 1);
  for (const auto access : {AtomicFile::Access::sequential, AtomicFile::Access::random}) {
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    const std::string copied = through_pipe(pipe, [&] {
      AtomicFile file(pipe, access);
      file.append(many);
      file.commit();
    });
    EXPECT_TRUE(fs::is_fifo(pipe));
    EXPECT_TRUE(std::ranges::equal(std::as_bytes(std::span(copied)), many));
    EXPECT_EQ(file_count(folder), 2U);
    fs::remove(pipe);
  }
}

TEST(AtomicFile, TakesAPipeThatNobodyReadsAnyMoreForAnError) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ::close(ends[0]);
  AtomicFile file(fmt::format("/dev/fd/{}", ends[1]));
  EXPECT_THROW(file.append(counting_bytes(std::size_t{1} << 20)), std::system_error);
  ::close(ends[1]);
}

TEST(AtomicFile, WritesOnWhereADescriptorOfThisProcessStands) {
  const TemporaryFolder folder;
  const int log = ::open((folder / "log").c_str(), O_RDWR | O_CREAT, 0600);
  ASSERT_EQ(::write(log, "abc", 3), 3);
  fs::create_symlink(fmt::format("/dev/fd/{}", log), folder / "link");
  for (const std::string& path :
       {fmt::format("/dev/fd/{}", log), fmt::format("/proc/self/fd/{}", log), folder / "link"}) {
    replace(path, Bytes(2, std::byte{'x'}));
  }
  const Bytes found = read_bytes(folder / "log");
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(found.data()), found.size()), "abcxxxxxx");
  EXPECT_THROW(AtomicFile("/dev/fd/987"), std::system_error);
  ::close(log);
}

TEST(AtomicFile, WritesToADevice) {
  replace("/dev/null", counting_bytes(100));
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  if (::access("/dev/full", W_OK) != 0) return;
  EXPECT_THAT(
      [] { replace("/dev/full", counting_bytes(100)); },
      ThrowsMessage<std::system_error>(StartsWith("/dev/full: cannot write: at least 100")));
}

TEST(AtomicFile, RemovesWhatDeadProcessesLeftAndNothingElse) {
  const TemporaryFolder folder;
  write_bytes(folder / ".obliq-tmp-1-0", counting_bytes(8));
  write_bytes(folder / ".obliq-tmp-4711-12", counting_bytes(8));
  const auto others = {".obliq-tmp-1-0.bak", ".obliq-tmp-x", "f.tmp-1-0"};
  for (const char* name : others) write_bytes(folder / name, counting_bytes(8));
  fs::create_symlink("f.tmp-1-0", folder / ".obliq-tmp-2-0");
  fs::create_directory(folder / ".obliq-tmp-3-0");
  AtomicFile alive(folder / "g");
  EXPECT_EQ(file_count(folder), 6U);
  replace(folder / "f", counting_bytes(3));
  for (const char* name : others) EXPECT_TRUE(fs::exists(folder / name)) << name;
  EXPECT_EQ(file_count(folder), 7U);
  alive.append(counting_bytes(5));
  alive.commit();
  EXPECT_EQ(read_bytes(folder / "g"), counting_bytes(5));
  EXPECT_EQ(file_count(folder), 7U);
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
    EXPECT_LE(file_count(folder), 2U);
  }
  write_signed(path, 0);
  EXPECT_EQ(file_count(folder), 1U);
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
