// One writer for a folder, also across processes that fork and die.
#include "storage/lock_file.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <system_error>

#include "tests/storage/failing_calls.h"
#include "tests/storage/files.h"

namespace obliq {
namespace {

namespace fs = std::filesystem;
using ::testing::StartsWith;
using ::testing::ThrowsMessage;

class Lock : public ::testing::Test {
 protected:
  ~Lock() override { set_failure({}); }

  /// What taking the lock says; empty: it was taken, and is given back.
  std::string complaint() const {
    try {
      const LockFile lock(folder_.path());
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return {};
  }
  std::string held_by(pid_t holder) const {
    return fmt::format("{}: process {} has the lock and writes to this folder; one at a time can",
                       path_, holder);
  }
  std::string text() const {
    const Bytes bytes = read_bytes(path_);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  TemporaryFolder folder_;
  std::string path_ = folder_ / "LOCK";
};

/// A process that takes the lock of a folder and holds it until it is killed.
class Holder {
 public:
  explicit Holder(const std::string& folder) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
    pid_ = ::fork();
    if (pid_ == 0) {
      const LockFile lock(folder);
      (void)!::write(ends[1], "x", 1);
      while (true) ::pause();
    }
    ::close(ends[1]);
    char taken = 0;
    EXPECT_EQ(::read(ends[0], &taken, 1), 1);
    ::close(ends[0]);
  }
  ~Holder() { kill(); }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;

  pid_t pid() const { return pid_; }
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

 private:
  pid_t pid_ = -1;
};

TEST_F(Lock, IsHeldByOneAtATimeAndNamesTheHolder) {
  {
    const LockFile lock(folder_.path());
    EXPECT_EQ(lock.path(), path_);
    EXPECT_EQ(text(), fmt::format("{}\n", ::getpid()));
    EXPECT_EQ(complaint(), held_by(::getpid()));
    EXPECT_EQ(text(), fmt::format("{}\n", ::getpid()));
  }
  EXPECT_EQ(complaint(), "");
  EXPECT_EQ(file_count(folder_), 1U);
}

TEST_F(Lock, OfAnotherProcessIsRefusedUntilThatIsKilled) {
  Holder first(folder_.path());
  EXPECT_EQ(complaint(), held_by(first.pid()));
  EXPECT_EQ(complaint(), held_by(first.pid()));
  first.kill();
  Holder second(folder_.path());
  EXPECT_EQ(complaint(), held_by(second.pid()));
  second.kill();
  EXPECT_EQ(complaint(), "");
}

TEST_F(Lock, OfTheParentIsRefusedToTheChild) {
  const LockFile lock(folder_.path());
  const std::string expected = held_by(::getpid());
  const pid_t child = ::fork();
  if (child == 0) ::_exit(complaint() == expected ? 0 : 1);
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(complaint(), expected);  // the child's end has not freed it
}

TEST_F(Lock, IsNotPassedOnToProgramsThatAreExecuted) {
  std::optional<LockFile> lock(folder_.path());
  const pid_t child = ::fork();
  if (child == 0) {
    ::execlp("sleep", "sleep", "60", nullptr);
    ::_exit(1);
  }
  lock.reset();
  std::string last = "not tried";
  for (int tries = 0; tries < 1000 && !last.empty(); ++tries) {  // until it has executed
    last = complaint();
    if (!last.empty()) ::usleep(10'000);
  }
  EXPECT_EQ(last, "");
  EXPECT_EQ(::waitpid(child, nullptr, WNOHANG), 0);  // it runs
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST_F(Lock, NamesNobodyWhereTheFileHoldsNoNumber) {
  for (const std::string& text : {std::string(), std::string("12"), std::string("x\n"),
                                  std::string(100, '1'), std::string("\n")}) {
    const LockFile lock(folder_.path());
    fs::resize_file(path_, 0);
    std::ofstream(path_) << text;
    EXPECT_EQ(complaint(),
              path_ + ": another process has the lock and writes to this folder; one at a time can")
        << text;
  }
}

TEST_F(Lock, IsTakenOverFromALongerNumber) {
  std::ofstream(path_) << "999999999999\n";
  const LockFile lock(folder_.path());
  EXPECT_EQ(text(), fmt::format("{}\n", ::getpid()));
}

TEST_F(Lock, RefusesLinksFoldersPipesAndMissingFolders) {
  const auto refuses = [&](const std::string& folder) {
    EXPECT_THAT([&] { LockFile lock(folder); },
                ThrowsMessage<std::system_error>(StartsWith(folder + "/LOCK: cannot ")));
  };
  fs::create_symlink("elsewhere", path_);
  refuses(folder_.path());
  EXPECT_FALSE(fs::exists(folder_ / "elsewhere"));
  fs::remove(path_);
  fs::create_directory(path_);
  refuses(folder_.path());
  fs::remove(path_);
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  refuses(folder_.path());
  refuses(folder_ / "missing");
}

TEST_F(Lock, IsTakenOrRefusedWithItsPathWhicheverCallFails) {
  const int calls = fail_each_call(
      EIO, [&] { LockFile lock(folder_.path()); },
      [&](const std::string& message) {
        EXPECT_THAT(message,
                    ::testing::AnyOf(::testing::IsEmpty(), StartsWith(path_ + ": cannot ")));
        EXPECT_EQ(complaint(), "") << message;  // nobody has it
      });
  EXPECT_GT(calls, 4);
}

TEST_F(Lock, IsHeldEvenWhereTheNumberCannotBeWritten) {
  set_failure({Call::kOverwrite, ENOSPC});
  const LockFile lock(folder_.path());
  set_failure({});
  EXPECT_EQ(complaint(),
            path_ + ": another process has the lock and writes to this folder; one at a time can");
}

}  // namespace
}  // namespace obliq
