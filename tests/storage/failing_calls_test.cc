// What AtomicFile does when the system fails it, at every call it makes (failing_calls.h). Besides,
// a real limit on file sizes stands in for a full disk.
#include "tests/storage/failing_calls.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <functional>
#include <system_error>

#include "storage/atomic_file.h"
#include "storage/section_file.h"
#include "storage/staging_file.h"
#include "tests/storage/damage.h"

namespace obliq {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

const Bytes kOld = counting_bytes(1000);
const Bytes kNew = counting_bytes((std::size_t{2} << 20) + 77);  // several writes

void write_new(const std::string& path) { write_sections(path, {{"new", kNew}}); }

class FailingSystem : public ::testing::Test {
 protected:
  FailingSystem() { write_sections(path_, {{"old", kOld}}); }
  ~FailingSystem() override { set_failure({}); }

  /// The error with which writing anew ends; no error where it succeeds.
  std::string error_of_writing(const Failure& chosen) {
    set_failure(chosen);
    std::string what;
    try {
      write_new(path_);
    } catch (const std::system_error& error) {
      what = error.what();
      EXPECT_EQ(error.code().value(), chosen.error);
    }
    set_failure({});
    return what;
  }

  void expect_section(std::string_view name, const Bytes& bytes) const {
    const SectionFile file(path_);
    file.verify_all();
    const auto there = file.section(name);
    EXPECT_TRUE(std::ranges::equal(there, bytes));
  }

  /// Runs `job` in a child process and returns how that ended, as waitpid tells it.
  static int outcome_in_child(const std::function<void()>& job) {
    const pid_t child = ::fork();
    if (child == 0) {
      try {
        job();
      } catch (...) {
        ::_exit(1);
      }
      ::_exit(0);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return status;
  }

  TemporaryFolder folder_;
  std::string path_ = folder_ / "index";
};

TEST_F(FailingSystem, KeepsTheOldFileAndRemovesTheTemporaryOneWhicheverCallFails) {
  const std::pair<Failure, std::string> cases[] = {
      {{Call::kWrite, ENOSPC, 0}, "write"},
      {{Call::kWrite, EIO, 1}, "write"},
      {{Call::kOverwrite, EDQUOT, 0}, "write"},
      {{Call::kSync, EIO, 0}, "sync"},
      {{Call::kClose, EIO, 0}, "close"},
      {{Call::kRename, EACCES, 0}, "rename the temporary file to it"},
  };
  for (const auto& [chosen, operation] : cases) {
    const std::string expected = fmt::format("{}: cannot {}: ", path_, operation);
    EXPECT_THAT(error_of_writing(chosen), StartsWith(expected));
    expect_section("old", kOld);
    EXPECT_EQ(file_count(folder_), 1U) << operation;
  }
}

TEST_F(FailingSystem, HasTheOldFileOrSaysThatTheNewOneIsInPlaceWhicheverCallFails) {
  const auto write = [&] {
    SectionWriter writer(path_);
    writer.add("new", kNew);
    (void)writer.written("new");
    writer.commit();
  };
  const int calls = fail_each_call(EIO, write, [&](const std::string& message) {
    const bool in_place = message.empty() || message.find("is in place") != std::string::npos;
    EXPECT_THAT(message, AnyOf(IsEmpty(), StartsWith(path_ + ": ")));
    expect_section(in_place ? "new" : "old", in_place ? kNew : kOld);
    EXPECT_EQ(file_count(folder_), 1U) << message;
    write_sections(path_, {{"old", kOld}});
  });
  EXPECT_GT(calls, 12);
}

TEST_F(FailingSystem, LeavesNoStagingFileWhicheverCallFails) {
  const std::vector<std::uint8_t> bytes(100, 7);
  const auto stage = [&] {
    StagingFile staging(folder_.path());
    staging.append(bytes);
    std::vector<std::uint8_t> buffer;
    EXPECT_TRUE(std::ranges::equal(staging.read(0, bytes.size(), buffer), bytes));
  };
  const int calls = fail_each_call(EIO, stage, [&](const std::string& message) {
    EXPECT_THAT(message, AnyOf(IsEmpty(), StartsWith(folder_.path() + ": cannot ")));
    EXPECT_EQ(file_count(folder_), 1U) << message;
  });
  EXPECT_GT(calls, 4);
}

TEST_F(FailingSystem, TellsHowManyBytesAFullDiskLacks) {
  AtomicFile file(path_);
  file.expect(5'000'000);
  file.append(kOld);
  set_failure({Call::kWrite, ENOSPC});
  std::string message;
  try {
    file.commit();
  } catch (const std::system_error& error) {
    message = error.what();
  }
  EXPECT_THAT(message,
              AllOf(StartsWith(path_ + ": cannot write: at least 5000000 bytes are needed"),
                    HasSubstr(" are free: No space left on device")));
}

TEST_F(FailingSystem, TellsThatTheFolderCouldNotBeSynced) {
  EXPECT_EQ(error_of_writing({Call::kSync, EIO, 1}),
            path_ +
                ": the new file is in place, but its folder cannot be synced, so that a power "
                "failure may bring back the old one: Input/output error");
  expect_section("new", kNew);
  EXPECT_EQ(file_count(folder_), 1U);
}

TEST_F(FailingSystem, IsContentWithAFolderThatKnowsNoSync) {
  EXPECT_EQ(error_of_writing({Call::kSync, EINVAL, 1}), "");
  expect_section("new", kNew);
}

TEST_F(FailingSystem, WritesOnAfterInterruptedAndShortWrites) {
  set_failure({.hesitant = true});
  write_sections(path_, {{"short", kOld}});
  set_failure({});
  expect_section("short", kOld);
}

TEST_F(FailingSystem, RefusesCallsAfterAFailure) {
  SectionWriter writer(path_);
  set_failure({Call::kWrite, ENOSPC, 0});
  EXPECT_THROW(writer.add("new", kNew), std::system_error);
  set_failure({});
  EXPECT_EQ(file_count(folder_), 1U);
  EXPECT_THROW(writer.append(kOld), std::invalid_argument);
  EXPECT_THROW(writer.begin("more"), std::invalid_argument);
  EXPECT_THROW(writer.commit(), std::invalid_argument);
  expect_section("old", kOld);
}

TEST_F(FailingSystem, LeavesTheOldFileWhereverTheWriterIsKilled) {
  // The first file that is closed is the one that the last writer left.
  const Failure deaths[] = {{Call::kWrite, kDies, 0},     {Call::kWrite, kDies, 1},
                            {Call::kOverwrite, kDies, 0}, {Call::kSync, kDies, 0},
                            {Call::kClose, kDies, 1},     {Call::kRename, kDies, 0}};
  for (const Failure& death : deaths) {
    const int status = outcome_in_child([&] {
      set_failure(death);
      write_new(path_);
    });
    ASSERT_TRUE(WIFSIGNALED(status));
    expect_section("old", kOld);
    EXPECT_EQ(file_count(folder_), 2U);  // the next writer removes what the last one left
  }
  write_new(path_);
  expect_section("new", kNew);
  EXPECT_EQ(file_count(folder_), 1U);
}

TEST_F(FailingSystem, HasTheNewFileWhenKilledAfterTheRename) {
  const int status = outcome_in_child([&] {
    set_failure({Call::kSync, kDies, 1});
    write_new(path_);
  });
  ASSERT_TRUE(WIFSIGNALED(status));
  expect_section("new", kNew);
  EXPECT_EQ(file_count(folder_), 1U);
}

TEST_F(FailingSystem, LeavesNoTrustInAHalfWrittenTemporaryFile) {
  outcome_in_child([&] {
    set_failure({Call::kOverwrite, kDies, 0});
    write_new(path_);
  });
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
    if (entry.path() == path_) continue;
    EXPECT_THROW(SectionFile(entry.path().string()), std::runtime_error);
  }
  EXPECT_EQ(file_count(folder_), 2U);
}

TEST_F(FailingSystem, KeepsTheOldFileAtEveryLimitOnFileSizes) {
  const auto write_within = [&](std::size_t limit) {
    return outcome_in_child([&] {
      const rlimit most{limit, limit};
      if (::setrlimit(RLIMIT_FSIZE, &most) != 0) ::_exit(2);
      try {
        write_small_file(path_);
      } catch (const std::system_error& error) {
        ::_exit(error.code().value() == EFBIG ? 3 : 4);
      }
    });
  };
  for (std::size_t limit = 0; limit < 480; limit += 40) {
    const int status = write_within(limit);
    ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 3) << limit << ", status " << status;
    expect_section("old", kOld);
    EXPECT_EQ(file_count(folder_), 1U);
  }
  EXPECT_EQ(write_within(480), 0);
  expect_section("odd", counting_bytes(5));
}

}  // namespace
}  // namespace obliq
