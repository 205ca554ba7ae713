// What a log does when the system fails it, at every call it makes (failing_calls.h).
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <system_error>

#include "storage/log_writer.h"
#include "tests/storage/damage.h"
#include "tests/storage/failing_calls.h"
#include "tests/storage/log_image.h"
#include "tests/storage/simulated_disk.h"

namespace obliq {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr std::uint64_t kOwner = 5;
const LogRecords kRecords{{1, counting_bytes(9)}, {2, counting_bytes(5000)}, {3, {}}};

class FailingLog : public ::testing::Test {
 protected:
  ~FailingLog() override { set_failure({}); }

  LogWriter create() const { return LogWriter::create(folder_.path(), "log", kOwner, 1); }
  LogRecords replayed() const {
    LogRecords records;
    LogReader(path_, kOwner).replay(collect(records));
    return records;
  }
  /// The error of `call` when `chosen` fails; empty: none.
  static std::string error_of(const Failure& chosen, const std::function<void()>& call) {
    set_failure(chosen);
    std::string message;
    try {
      call();
    } catch (const std::system_error& error) {
      message = error.what();
    }
    set_failure({});
    return message;
  }
  /// True where the first `count` records, and no others, are a beginning of `all`.
  static bool is_beginning(const LogRecords& some, const LogRecords& all) {
    return some.size() <= all.size() && std::equal(some.begin(), some.end(), all.begin());
  }

  TemporaryFolder folder_;
  std::string path_ = folder_ / "log";
};

TEST_F(FailingLog, IsCreatedOrNotThereWhicheverCallFails) {
  const int calls = fail_each_call(
      EIO, [&] { create(); },
      [&](const std::string& message) {
        EXPECT_THAT(message, AnyOf(IsEmpty(), StartsWith(path_ + ": cannot ")));
        // Failures that only keep dead writers' files from being removed, or the lock.
        EXPECT_EQ(file_count(folder_), message.empty() ? 1U : 0U) << message;
        if (message.empty()) {
          EXPECT_EQ(replayed(), LogRecords{});
        }
        std::filesystem::remove(path_);
      });
  EXPECT_GT(calls, 8);
}

TEST_F(FailingLog, LosesNothingThatWasSyncedWhicheverCallFails) {
  std::size_t synced = 0;
  const auto write = [&] {
    synced = 0;
    LogWriter log = LogWriter::open_for_append(path_, kOwner, ignore_record);
    for (std::size_t i = 0; i < kRecords.size(); ++i) {
      log.append(kRecords[i].type, kRecords[i].payload);
      log.sync();
      synced = i + 1;
    }
    log.close();
  };
  create();
  const int calls = fail_each_call(EIO, write, [&](const std::string& message) {
    EXPECT_THAT(message, AnyOf(IsEmpty(), StartsWith(path_ + ": cannot ")));
    const LogRecords there = replayed();
    EXPECT_GE(there.size(), message.empty() ? kRecords.size() : synced) << message;
    EXPECT_TRUE(is_beginning(there, kRecords));
    std::filesystem::remove(path_);
    create();
  });
  EXPECT_GT(calls, 15);
}

TEST_F(FailingLog, IsReadOrRefusedWithItsPathWhicheverCallFails) {
  {
    LogWriter log = create();
    for (const LogRecord& record : kRecords) log.append(record.type, record.payload);
  }
  std::filesystem::resize_file(path_, std::filesystem::file_size(path_) - 1);
  const Bytes torn = read_bytes(path_);
  const LogRecords whole(kRecords.begin(), kRecords.end() - 1);
  LogRecords there;
  const auto reopen = [&] {
    there.clear();
    LogWriter::open_for_append(path_, kOwner, collect(there));
  };
  const int calls = fail_each_call(EIO, reopen, [&](const std::string& message) {
    EXPECT_THAT(message, AnyOf(IsEmpty(), StartsWith(path_ + ": cannot ")));
    EXPECT_EQ(there, message.empty() ? whole : there);
    EXPECT_EQ(replayed(), whole);
    write_bytes(path_, torn);
  });
  EXPECT_GT(calls, 10);
}

TEST_F(FailingLog, CutsOffWhatItWroteOfARecordAndGoesOn) {
  LogWriter log = create();
  log.append(1, counting_bytes(9));
  const std::uint64_t size = std::filesystem::file_size(path_);
  EXPECT_THAT(error_of({Call::kOverwrite, ENOSPC}, [&] { log.append(2, counting_bytes(5000)); }),
              AllOf(StartsWith(path_ + ": cannot write: at least 5024 bytes are needed"),
                    HasSubstr(" are free: No space left on device")));
  EXPECT_EQ(std::filesystem::file_size(path_), size);
  EXPECT_EQ(log.append(3, counting_bytes(4)), 2U);
  log.close();
  EXPECT_EQ(replayed(), (LogRecords{{1, counting_bytes(9)}, {3, counting_bytes(4)}}));
}

TEST_F(FailingLog, CutsARecordBackAtEveryLimitOnFileSizes) {
  const auto status_at = [&](std::uint64_t limit) {
    const pid_t child = ::fork();
    if (child == 0) {
      const rlimit most{limit, limit};
      LogWriter log = create();
      log.append(1, counting_bytes(9));
      if (::setrlimit(RLIMIT_FSIZE, &most) != 0) ::_exit(2);
      const std::string message = error_of({}, [&] { log.append(2, counting_bytes(5000)); });
      if (message.find("cannot write: at least 9160 bytes are needed") == std::string::npos) {
        ::_exit(3);
      }
      if (std::filesystem::file_size(path_) != 4136) ::_exit(4);
      log.append(3, Bytes());
      log.close();
      ::_exit(0);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return status;
  };
  for (const std::uint64_t limit : {4160, 4161, 4200, 8192, 9159}) {
    ASSERT_EQ(status_at(limit), 0) << limit;
    EXPECT_EQ(replayed(), (LogRecords{{1, counting_bytes(9)}, {3, {}}})) << limit;
    std::filesystem::remove(path_);
  }
}

TEST_F(FailingLog, WritesOnAfterInterruptedAndShortWrites) {
  LogWriter log = create();
  set_failure({.hesitant = true});
  for (const LogRecord& record : kRecords) log.append(record.type, record.payload);
  log.close();
  set_failure({});
  EXPECT_EQ(replayed(), kRecords);
}

/// What every later call says.
void expect_poisoned(LogWriter& log, const std::string& message, std::uint64_t size) {
  const auto refused = ::testing::ThrowsMessage<std::system_error>(message);
  EXPECT_THAT([&] { log.append(1, counting_bytes(1)); }, refused);
  EXPECT_THAT([&] { log.sync(); }, refused);
  EXPECT_THAT([&] { log.close(); }, refused);
  EXPECT_EQ(std::filesystem::file_size(log.path()), size);
}

TEST_F(FailingLog, IsNeverSyncedAgainAfterASyncFailed) {
  LogWriter log = create();
  log.append(1, counting_bytes(9));
  const std::uint64_t size = std::filesystem::file_size(path_);
  const Bytes before = read_bytes(path_);
  EXPECT_EQ(error_of({Call::kSync, EIO}, [&] { log.sync(); }),
            path_ + ": cannot sync: Input/output error");
  expect_poisoned(log,
                  path_ +
                      ": cannot write to it any more, since it could not sync: "
                      "Input/output error",
                  size);
  EXPECT_EQ(read_bytes(path_), before);  // no slot claims what was not synced
}

// In vain, else: the system takes pages for clean once it has failed to sync them.
TEST_F(FailingLog, WritesRecordsAgainBeforeItSyncsThemWhenReopened) {
  {
    LogWriter log = create();
    log.append(1, counting_bytes(9));
    log.sync();
    log.append(2, counting_bytes(5000));
    EXPECT_NE(error_of({Call::kSync, EIO}, [&] { log.sync(); }), "");
  }
  const Bytes before = read_bytes(path_);
  SimulatedDisk disk(folder_.path());
  LogWriter::open_for_append(path_, kOwner, ignore_record);
  const DiskRecording recording = disk.stop();
  ASSERT_GE(recording.operations.size(), 2U);
  EXPECT_EQ(recording.operations[0].kind, DiskOperation::Kind::write);
  EXPECT_EQ(recording.operations[0].place, 4136U);
  EXPECT_EQ(recording.operations[0].bytes, Bytes(before.begin() + 4136, before.end()));
  EXPECT_EQ(recording.operations[1].kind, DiskOperation::Kind::sync);
}

TEST_F(FailingLog, IsNeverSyncedAgainAfterClosingFailed) {
  LogWriter log = create();
  log.append(1, counting_bytes(9));
  EXPECT_EQ(error_of({Call::kSync, EIO, 1}, [&] { log.close(); }),
            path_ + ": cannot sync: Input/output error");
  expect_poisoned(log,
                  path_ +
                      ": cannot write to it any more, since it could not sync: "
                      "Input/output error",
                  std::filesystem::file_size(path_));
}

TEST_F(FailingLog, IsNotWrittenAnyMoreAfterItCouldNotBeCut) {
  LogWriter log = create();
  log.append(1, counting_bytes(9));
  const std::uint64_t size = std::filesystem::file_size(path_);
  EXPECT_THAT(
      error_of({Call::kAny, EDQUOT, 0, false, 2}, [&] { log.append(2, counting_bytes(9)); }),
      StartsWith(path_ + ": cannot write: at least 40 bytes are needed: "));
  expect_poisoned(log,
                  path_ +
                      ": cannot write to it any more, since it could not cut off what it had "
                      "written of a record: Disk quota exceeded",
                  size);
  EXPECT_EQ(replayed(), (LogRecords{{1, counting_bytes(9)}}));
}

TEST_F(FailingLog, HoldsWhatWasWrittenWhereverTheWriterIsKilled) {
  for (int spared = 0;; ++spared) {
    create();
    const pid_t child = ::fork();
    if (child == 0) {
      LogWriter log = LogWriter::open_for_append(path_, kOwner, ignore_record);
      set_failure({Call::kAny, kDies, spared});
      for (const LogRecord& record : kRecords) {
        log.append(record.type, record.payload);
        log.sync();
      }
      log.close();
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    const LogRecords there = replayed();
    EXPECT_TRUE(is_beginning(there, kRecords)) << spared;
    EXPECT_EQ(there.size(), std::min<std::size_t>((spared + 2) / 3, kRecords.size())) << spared;
    std::filesystem::remove(path_);
    if (WIFEXITED(status)) break;
  }
}

}  // namespace
}  // namespace obliq
