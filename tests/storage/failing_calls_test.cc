// What AtomicFile does when the system fails it, at every call it makes. The C library's functions
// are replaced in this program: a definition of ours goes before the library's. They go on to the
// kernel unless a test says otherwise. Besides, a real limit on file sizes stands in for a full
// disk.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <functional>
#include <system_error>

#include "storage/section_file.h"
#include "tests/storage/damage.h"

namespace {

enum class Call { kNone, kWrite, kOverwrite, kSync, kClose, kRename };

constexpr int kDies = -1;  // instead of an error: the process ends there, as if killed

struct Failure {
  Call call = Call::kNone;
  int error = 0;
  int spared = 0;  // calls that succeed before
  bool hesitant = false;
};

Failure failure;

/// True, with errno set, when the call is to fail.
bool fails(Call call) {
  if (failure.call != call || failure.spared-- > 0) return false;
  if (failure.error == kDies) ::kill(::getpid(), SIGKILL);
  errno = failure.error;
  return true;
}

/// Every second write is interrupted, and the others take at most seven bytes.
bool hesitates(std::size_t& count) {
  if (!failure.hesitant) return false;
  count = std::min<std::size_t>(count, 7);
  errno = EINTR;
  return failure.spared++ % 2 == 0;
}

}  // namespace

extern "C" {

ssize_t write(int fd, const void* bytes, size_t count) {
  if (fails(Call::kWrite) || hesitates(count)) return -1;
  return ::syscall(SYS_write, fd, bytes, count);
}

ssize_t pwrite(int fd, const void* bytes, size_t count, off_t offset) {
  if (fails(Call::kOverwrite) || hesitates(count)) return -1;
  return ::syscall(SYS_pwrite64, fd, bytes, count, offset);
}

int fsync(int fd) { return fails(Call::kSync) ? -1 : static_cast<int>(::syscall(SYS_fsync, fd)); }

int close(int fd) {
  const bool failed = fails(Call::kClose);
  const auto result = static_cast<int>(::syscall(SYS_close, fd));
  if (failed) errno = failure.error;
  return failed ? -1 : result;
}

int renameat(int from_folder, const char* from, int to_folder, const char* to) noexcept {
  if (fails(Call::kRename)) return -1;
  return static_cast<int>(::syscall(SYS_renameat2, from_folder, from, to_folder, to, 0));
}

}  // extern "C"

namespace obliq {
namespace {

using ::testing::StartsWith;

const Bytes kOld = counting_bytes(1000);
const Bytes kNew = counting_bytes((std::size_t{2} << 20) + 77);  // several writes

void write_new(const std::string& path) { write_sections(path, {{"new", kNew}}); }

class FailingSystem : public ::testing::Test {
 protected:
  FailingSystem() { write_sections(path_, {{"old", kOld}}); }
  ~FailingSystem() override { failure = {}; }

  /// The error with which writing anew ends; no error where it succeeds.
  std::string error_of_writing(const Failure& chosen) {
    failure = chosen;
    std::string what;
    try {
      write_new(path_);
    } catch (const std::system_error& error) {
      what = error.what();
      EXPECT_EQ(error.code().value(), chosen.error);
    }
    failure = {};
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

TEST_F(FailingSystem, TellsThatTheFolderCouldNotBeSynced) {
  EXPECT_EQ(error_of_writing({Call::kSync, EIO, 1}),
            path_ + ": cannot sync its folder: Input/output error");
  expect_section("new", kNew);
  EXPECT_EQ(file_count(folder_), 1U);
}

TEST_F(FailingSystem, IsContentWithAFolderThatKnowsNoSync) {
  EXPECT_EQ(error_of_writing({Call::kSync, EINVAL, 1}), "");
  expect_section("new", kNew);
}

TEST_F(FailingSystem, WritesOnAfterInterruptedAndShortWrites) {
  failure.hesitant = true;
  write_sections(path_, {{"short", kOld}});
  failure = {};
  expect_section("short", kOld);
}

TEST_F(FailingSystem, RefusesCallsAfterAFailure) {
  SectionWriter writer(path_);
  failure = {Call::kWrite, ENOSPC, 0};
  EXPECT_THROW(writer.add("new", kNew), std::system_error);
  failure = {};
  EXPECT_EQ(file_count(folder_), 1U);
  EXPECT_THROW(writer.append(kOld), std::invalid_argument);
  EXPECT_THROW(writer.begin("more"), std::invalid_argument);
  EXPECT_THROW(writer.commit(), std::invalid_argument);
  expect_section("old", kOld);
}

TEST_F(FailingSystem, LeavesTheOldFileWhereverTheWriterIsKilled) {
  const Failure deaths[] = {{Call::kWrite, kDies, 0},     {Call::kWrite, kDies, 1},
                            {Call::kOverwrite, kDies, 0}, {Call::kSync, kDies, 0},
                            {Call::kClose, kDies, 0},     {Call::kRename, kDies, 0}};
  std::size_t leftovers = 0;
  for (const Failure& death : deaths) {
    const int status = outcome_in_child([&] {
      failure = death;
      write_new(path_);
    });
    ASSERT_TRUE(WIFSIGNALED(status));
    expect_section("old", kOld);
    EXPECT_EQ(file_count(folder_), 1 + ++leftovers);
  }
  write_new(path_);
  expect_section("new", kNew);
  EXPECT_EQ(file_count(folder_), 1 + leftovers);  // files of other processes are left alone
}

TEST_F(FailingSystem, HasTheNewFileWhenKilledAfterTheRename) {
  const int status = outcome_in_child([&] {
    failure = {Call::kSync, kDies, 1};
    write_new(path_);
  });
  ASSERT_TRUE(WIFSIGNALED(status));
  expect_section("new", kNew);
  EXPECT_EQ(file_count(folder_), 1U);
}

TEST_F(FailingSystem, LeavesNoTrustInAHalfWrittenTemporaryFile) {
  outcome_in_child([&] {
    failure = {Call::kOverwrite, kDies, 0};
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
      std::signal(SIGXFSZ, SIG_IGN);
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
