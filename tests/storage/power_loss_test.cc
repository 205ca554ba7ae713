// What is left of files and logs after a power failure at any call (crash_states.h).
#include "tests/storage/power_loss.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "storage/atomic_file.h"
#include "storage/log_writer.h"
#include "storage/write_all.h"

namespace obliq {
namespace {

namespace fs = std::filesystem;

/// A whole file: the old bytes, the new ones, or none where there was none.
void expect_old_or_new(const CrashState& state, bool was_there) {
  const std::string path = state.folder + "/f";
  const bool there = fs::exists(path);
  const Bytes bytes = there ? read_bytes(path) : Bytes();
  const bool is_old = was_there ? bytes == kOld : !there;
  EXPECT_TRUE(bytes == kNew || (is_old && state.noted < 0));
}

TEST_F(PowerLoss, LeavesTheOldFileOrTheNewOneAndTheNewOneOnceItIsCommitted) {
  for (const bool was_there : {true, false}) {
    if (was_there) write_bytes(path("f"), kOld);
    const auto replace = [&](SimulatedDisk& disk) {
      AtomicFile file(path("f"), AtomicFile::Access::random);
      file.append(kNew);
      file.write_at(0, std::span(kNew).first(100));
      file.commit();
      disk.note(1);
    };
    const auto check = [&](const CrashState& state) { expect_old_or_new(state, was_there); };
    EXPECT_GT(play(replace, 3000, check), 50U);
    fs::remove(path("f"));
  }
}

/// The records of a log, which must be the first ones; at least as many as were noted. Then the log
/// takes another one.
void expect_log(const CrashState& state, std::size_t appended) {
  const std::string path = state.folder + "/log";
  if (!fs::exists(path)) {
    EXPECT_LT(state.noted, 0);
    return;
  }
  LogRecords there;
  {
    LogWriter log = LogWriter::open_for_append(path, kOwner, collect(there));
    ASSERT_LE(there.size(), appended);
    ASSERT_EQ(there, records_of(there.size()));
    ASSERT_GE(static_cast<int>(there.size()), state.noted);
    append(log, there.size());
    log.close();
  }
  LogRecords after;
  EXPECT_EQ(LogReader(path, kOwner).replay(collect(after)).torn_bytes, 0U);
  EXPECT_EQ(after, records_of(there.size() + 1));
}

TEST_F(PowerLoss, LosesNoRecordThatWasSyncedAndMakesNoneUp) {
  constexpr std::size_t kCount = 24;
  const auto write = [&](SimulatedDisk& disk) {
    LogWriter log = LogWriter::create(folder_.path(), "log", kOwner, 1);
    disk.note(0);
    for (std::size_t i = 0; i < kCount; ++i) {
      append(log, i);
      if (i % 6 == 5) {
        log.sync();
        disk.note(static_cast<int>(i) + 1);
      }
    }
    log.close();
    disk.note(kCount);
  };
  const auto check = [](const CrashState& state) { expect_log(state, kCount); };
  EXPECT_GT(play(write, 100000, check), 1500U);
}

TEST_F(PowerLoss, LosesNoRecordOfALogWhoseProcessesDie) {
  const auto write = [&](SimulatedDisk& disk) {
    LogWriter::create(folder_.path(), "log", kOwner, 1);
    for (std::size_t i = 0; i < 24; i += 4) {
      LogWriter log = LogWriter::open_for_append(path(), kOwner, ignore_record);
      disk.note(static_cast<int>(i));  // reopening syncs
      for (std::size_t j = i; j < i + 4; ++j) append(log, j);
      const Bytes part = counting_bytes(700);  // of the next one, in the write of which it dies
      EXPECT_EQ(write_all_at(open_to_write(path()).get(), log.next().offset, part), 0);
    }
  };
  EXPECT_GT(play(write, 100000, [](const CrashState& state) { expect_log(state, 24); }), 1500U);
}

/// Puts the log that was left into `folder`, and plays power failures while it is reopened.
void expect_log_after_another(const CrashState& first, const std::string& folder) {
  if (!fs::exists(first.folder + "/log")) return;
  write_bytes(folder + "/log", read_bytes(first.folder + "/log"));
  SimulatedDisk disk(folder);
  disk.note(first.noted);
  LogRecords there;
  {
    LogWriter log = LogWriter::open_for_append(folder + "/log", kOwner, collect(there));
    disk.note(static_cast<int>(there.size()));
    append(log, there.size());
    append(log, there.size() + 1);
    log.sync();
    disk.note(static_cast<int>(there.size()) + 2);
  }
  for_each_crash_state(disk.stop(), 500, crash_seed(),
                       [&](const CrashState& second) { expect_log(second, there.size() + 2); });
}

TEST_F(PowerLoss, LosesNoRecordWhenItComesAgainWhileALogIsReopened) {
  const TemporaryFolder second = fast_folder();
  const auto write = [&](SimulatedDisk& disk) {
    LogWriter log = LogWriter::create(folder_.path(), "log", kOwner, 1);
    for (std::size_t i = 0; i < 7; ++i) {
      append(log, i);
      if (i == 3) {
        log.sync();
        disk.note(4);
      }
    }
  };
  EXPECT_GT(play(write, 1000,
                 [&](const CrashState& state) { expect_log_after_another(state, second.path()); }),
            50U);
}

TEST_F(PowerLoss, BringsNoRecordOfACutTailBack) {
  write_log_with_hole(folder_.path());
  const LogRecord anew{9, counting_bytes(2000)};  // as large as the one that was lost
  const auto reopen = [&](SimulatedDisk& disk) {
    LogWriter log = LogWriter::open_for_append(path(), kOwner, ignore_record);
    disk.note(2);
    log.append(anew.type, anew.payload);
    log.sync();
    disk.note(3);
  };
  LogRecords expected = records_of(2);
  expected.push_back(anew);
  const auto check = [&](const CrashState& state) {
    LogRecords there;
    LogReader(state.folder + "/log", kOwner).replay(collect(there));
    EXPECT_GE(static_cast<int>(there.size()), std::max(2, state.noted));
    EXPECT_TRUE(there.size() <= 3 && std::equal(there.begin(), there.end(), expected.begin()));
  };
  EXPECT_GT(play(reopen, 3000, check), 50U);
}

struct Promise {
  std::size_t deleted;  // the first records, which may be gone
  std::size_t synced;
};

/// The logs of the folder follow each other without a gap, and hold what was promised.
void expect_logs(const std::string& folder, const Promise& promise) {
  const std::vector<std::string> paths = logs_of(folder);
  ASSERT_TRUE(!paths.empty() || promise.synced == 0);
  std::uint64_t next = promise.deleted + 1;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const LogReader reader(paths[i], kOwner);
    if (i == 0 ? reader.start().seq > next : reader.start().seq != next) {
      FAIL() << "a gap before " << paths[i];
    }
    LogRecords there;
    next = reader.replay(collect(there)).next.seq;
    for (std::size_t j = 0; j < there.size(); ++j) {
      ASSERT_EQ(there[j], record(reader.start().seq - 1 + j));
    }
  }
  ASSERT_GT(next, promise.synced);
}

TEST_F(PowerLoss, LeavesLogsThatFollowEachOtherWhenOneIsClosedBeforeTheNextIsMade) {
  std::vector<Promise> promises;
  const auto write = [&](SimulatedDisk& disk) {
    const auto promise = [&](std::size_t deleted, std::size_t synced) {
      disk.note(static_cast<int>(promises.size()));
      promises.push_back({deleted, synced});
    };
    for (std::size_t first = 0; first < 12; first += 4) {
      LogWriter log = LogWriter::create(folder_.path(), log_name(first + 1), kOwner, first + 1);
      for (std::size_t i = first; i < first + 3; ++i) append(log, i);
      log.sync();
      promise(first, first + 3);  // the logs before may go now
      if (first > 0) {
        EXPECT_EQ(::unlinkat(AT_FDCWD, path(log_name(first - 3)).c_str(), 0), 0);
        sync_folder(folder_.path());
      }
      append(log, first + 3);
      log.close();
      promise(first, first + 4);
    }
  };
  const auto check = [&](const CrashState& state) {
    const bool none = state.noted < 0;
    expect_logs(state.folder, none ? Promise{0, 0} : promises.at(state.noted));
  };
  EXPECT_GT(play(write, 20000, check), 150U);
}

}  // namespace
}  // namespace obliq
