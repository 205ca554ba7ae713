// The simulated disk leaves what a disk may leave, all of it and nothing else.
#include "tests/storage/simulated_disk.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <functional>
#include <set>
#include <stdexcept>
#include <string>

#include "storage/write_all.h"
#include "tests/storage/crash_states.h"

namespace obliq {
namespace {

using ::testing::UnorderedElementsAre;

constexpr std::size_t kAll = 1 << 20;  // states: more than there are

/// Sectors of these letters: "ab" is 512 times a and 512 times b.
Bytes sectors(std::string_view letters) {
  Bytes bytes;
  for (const char letter : letters) bytes.insert(bytes.end(), 512, static_cast<std::byte>(letter));
  return bytes;
}

/// The other way, for whole sectors of one byte each; zeros are a dot.
std::string letters(const Bytes& bytes) {
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 512) {
    text += bytes[at] == std::byte{0} ? '.' : static_cast<char>(bytes[at]);
  }
  return text;
}

class SimulatedDiskTest : public ::testing::Test {
 protected:
  FileDescriptor open(const std::string& name, int flags) const {
    return FileDescriptor(::open((folder_ / name).c_str(), flags | O_RDWR | O_CLOEXEC, 0600));
  }
  static void write(const FileDescriptor& file, std::uint64_t sector, std::string_view letters) {
    ASSERT_EQ(write_all_at(file.get(), 512 * sector, sectors(letters)), 0);
  }
  void sync_folder() const {
    const FileDescriptor folder(::open(folder_.path().c_str(), O_RDONLY | O_DIRECTORY));
    ASSERT_EQ(::fsync(folder.get()), 0);
  }

  /// All folders that may be left, as "name:sectors name:sectors".
  std::set<std::string> left_by(const std::function<void()>& calls, std::size_t count = kAll) {
    SimulatedDisk disk(folder_.path());
    calls();
    std::set<std::string> left;
    states_ = for_each_crash_state(disk.stop(), count, crash_seed(), [&](const CrashState& state) {
      std::map<std::string, std::string> files;
      for (const auto& entry : std::filesystem::directory_iterator(state.folder)) {
        files[entry.path().filename().string()] = letters(read_bytes(entry.path().string()));
      }
      std::string text;
      for (const auto& [name, bytes] : files) text += name + ":" + bytes + " ";
      left.insert(text);
    });
    return left;
  }

  TemporaryFolder folder_ = fast_folder();
  std::size_t states_ = 0;
};

TEST_F(SimulatedDiskTest, KeepsWhatWasThereAndNothingIsDoneTo) {
  write_bytes(folder_ / "f", sectors("ab"));
  EXPECT_THAT(left_by([] {}), UnorderedElementsAre("f:ab "));
}

TEST_F(SimulatedDiskTest, LeavesSectorsThatAreNotSyncedOldOrNewEachByItself) {
  write_bytes(folder_ / "f", sectors("abc"));
  EXPECT_THAT(left_by([&] { write(open("f", 0), 1, "xy"); }),
              UnorderedElementsAre("f:abc ", "f:axc ", "f:aby ", "f:axy "));
}

TEST_F(SimulatedDiskTest, LeavesWhatAnyOfTheWritesHasLeft) {
  write_bytes(folder_ / "f", sectors("a"));
  EXPECT_THAT(left_by([&] {
                const FileDescriptor file = open("f", 0);
                write(file, 0, "x");
                write(file, 0, "y");
              }),
              UnorderedElementsAre("f:a ", "f:x ", "f:y "));
}

TEST_F(SimulatedDiskTest, KeepsWhatWasSyncedBothWays) {
  write_bytes(folder_ / "f", sectors("a"));
  for (const auto& sync : {::fsync, ::fdatasync}) {
    const auto left = left_by([&] {
      const FileDescriptor file = open("f", 0);
      write(file, 1, "x");
      ASSERT_EQ(sync(file.get()), 0);
      write(file, 0, "y");
    });
    EXPECT_THAT(left, UnorderedElementsAre("f:a ", "f:a. ", "f:ax ", "f:yx "));
    write_bytes(folder_ / "f", sectors("a"));
  }
}

TEST_F(SimulatedDiskTest, LeavesASizeWithoutItsBytesAndTheOtherWay) {
  write_bytes(folder_ / "f", sectors("a"));
  EXPECT_THAT(left_by([&] { write(open("f", 0), 1, "xy"); }),
              UnorderedElementsAre("f:a ", "f:a.. ", "f:ax. ", "f:a.y ", "f:axy "));
}

TEST_F(SimulatedDiskTest, BringsBackWhatWasCutOffAndNotSynced) {
  write_bytes(folder_ / "f", sectors("abc"));
  EXPECT_THAT(left_by([&] {
                const FileDescriptor file = open("f", 0);
                ASSERT_EQ(::ftruncate(file.get(), 512), 0);
                write(file, 1, "x");
              }),
              ::testing::IsSupersetOf({"f:abc ", "f:a ", "f:ab ", "f:axc ", "f:ax ", "f:a. "}));
  write_bytes(folder_ / "f", sectors("abc"));
  EXPECT_THAT(left_by([&] {
                const FileDescriptor file = open("f", 0);
                ASSERT_EQ(::ftruncate(file.get(), 512), 0);
                ASSERT_EQ(::fsync(file.get()), 0);
                write(file, 1, "x");
              }),
              ::testing::Not(::testing::Contains("f:axc ")));
}

TEST_F(SimulatedDiskTest, LeavesNamesOldOrNewUntilTheFolderIsSynced) {
  write_bytes(folder_ / "old", sectors("a"));
  EXPECT_THAT(
      left_by([&] {
        const FileDescriptor file = open("tmp", O_CREAT);
        write(file, 0, "x");
        ASSERT_EQ(::fsync(file.get()), 0);
        const FileDescriptor here(::open(folder_.path().c_str(), O_RDONLY | O_DIRECTORY));
        ASSERT_EQ(::renameat(here.get(), "tmp", here.get(), "old"), 0);
      }),
      UnorderedElementsAre("old:a ", "old:a tmp: ", "old:a tmp:. ", "old:a tmp:x ", "old:x "));
  EXPECT_THAT(left_by([&] {
                sync_folder();
                ASSERT_EQ(::unlinkat(AT_FDCWD, (folder_ / "old").c_str(), 0), 0);
                open("new", O_CREAT);
              }),
              UnorderedElementsAre("old:x ", "", "new: ", "new: old:x "));
  EXPECT_THAT(left_by([&] {
                open("second", O_CREAT);
                sync_folder();
              }),
              UnorderedElementsAre("new: ", "new: second: "));
}

TEST_F(SimulatedDiskTest, GivesEachStateTheLastNoteBeforeIt) {
  write_bytes(folder_ / "f", sectors("a"));
  SimulatedDisk disk(folder_.path());
  const FileDescriptor file = open("f", 0);
  write(file, 0, "x");
  disk.note(1);
  ASSERT_EQ(::fsync(file.get()), 0);
  disk.note(2);
  std::set<std::pair<int, std::string>> seen;
  const std::size_t states =
      for_each_crash_state(disk.stop(), kAll, 1, [&](const CrashState& state) {
        seen.emplace(state.noted, letters(read_bytes(state.folder + "/f")));
      });
  EXPECT_THAT(seen, UnorderedElementsAre(std::pair(-1, "a"), std::pair(-1, "x"), std::pair(1, "a"),
                                         std::pair(1, "x"), std::pair(2, "x")));
  EXPECT_EQ(states, 5U);
}

TEST_F(SimulatedDiskTest, DrawsStatesWhereThereAreTooMany) {
  write_bytes(folder_ / "f", sectors(std::string(40, 'a')));
  const auto left = left_by([&] { write(open("f", 0), 0, std::string(40, 'x')); }, 200);
  EXPECT_GT(left.size(), 40U);
  EXPECT_LE(states_, 200U);
  EXPECT_TRUE(left.contains("f:" + std::string(40, 'a') + " "));
  EXPECT_TRUE(left.contains("f:" + std::string(40, 'x') + " "));
}

TEST_F(SimulatedDiskTest, IsPutRightAfterEachCheck) {
  write_bytes(folder_ / "f", sectors("a"));
  SimulatedDisk disk(folder_.path());
  write(open("f", 0), 0, "x");
  const auto spoil = [&](const CrashState& state) {
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(state.folder), {}), 1);
    const Bytes bytes = read_bytes(state.folder + "/f");
    EXPECT_TRUE(bytes == sectors("a") || bytes == sectors("x"));
    for (const char* name : {"/f", "/g"}) {
      const FileDescriptor file(::open((state.folder + name).c_str(), O_RDWR | O_CREAT, 0600));
      ASSERT_EQ(::ftruncate(file.get(), 3), 0);
    }
  };
  EXPECT_EQ(for_each_crash_state(disk.stop(), kAll, 1, spoil), 2U);
}

TEST_F(SimulatedDiskTest, RefusesToGoOnWhenItHasNotSeenACall) {
  SimulatedDisk disk(folder_.path());
  write_bytes(folder_ / "f", sectors("a"));  // by std::ofstream
  std::filesystem::rename(folder_ / "f", folder_ / "g");
  EXPECT_THROW(disk.stop(), std::logic_error);
}

}  // namespace
}  // namespace obliq
