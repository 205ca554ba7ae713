// Writers that sync too little or too late: the power failures of power_loss_test.cc find each.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>

#include "storage/log_writer.h"
#include "storage/write_all.h"
#include "tests/storage/power_loss.h"

namespace obliq {
namespace {

namespace fs = std::filesystem;

class CarelessWriter : public PowerLoss {
 protected:
  /// Number of the states in which `is_wrong`.
  std::size_t wrong_states(const std::function<void(SimulatedDisk&)>& calls,
                           const std::function<bool(const CrashState&)>& is_wrong) const {
    std::size_t wrong = 0;
    play(calls, 2000, [&](const CrashState& state) { wrong += is_wrong(state) ? 1 : 0; });
    return wrong;
  }

  void write_file(const std::string& name, const Bytes& bytes, bool synced) const {
    const FileDescriptor file = open_to_write(path(name));
    EXPECT_EQ(write_all_at(file.get(), 0, bytes), 0);
    if (synced) {
      EXPECT_EQ(::fsync(file.get()), 0);
    }
  }
  void rename(const std::string& from, const std::string& to) const {
    EXPECT_EQ(::renameat(AT_FDCWD, path(from).c_str(), AT_FDCWD, path(to).c_str()), 0);
  }
};

bool is_refused(const CrashState& state) {
  try {
    LogReader(state.folder + "/log", kOwner).replay(ignore_record);
  } catch (const std::runtime_error&) {
    return true;
  }
  return false;
}

/// Adds record number i + 1 and the slot for it to a log; `sync` in between or not.
void append_by_hand(const std::string& path, std::size_t i, bool sync) {
  const Bytes before = read_bytes(path);
  const auto random = load<LogHeader>(before, 0).random;
  Bytes log = before;
  add_record(log, random, i + 1, record(i));
  set_slot(log, random, i % 2, i + 1, log.size());
  const FileDescriptor file = open_to_write(path);
  const auto bytes = std::span<const std::byte>(log);
  EXPECT_EQ(write_all_at(file.get(), before.size(), bytes.subspan(before.size())), 0);
  if (sync) {
    EXPECT_EQ(::fdatasync(file.get()), 0);
  }
  EXPECT_EQ(write_all_at(file.get(), slot_offset(i % 2), bytes.subspan(slot_offset(i % 2), 24)), 0);
  EXPECT_EQ(::fdatasync(file.get()), 0);
}

TEST_F(CarelessWriter, IsFoundWhenItWritesTheSlotBeforeTheSync) {
  LogWriter::create(folder_.path(), "log", kOwner, 1).close();
  const auto write = [&](bool sync) {
    return wrong_states(
        [&](SimulatedDisk&) {
          for (std::size_t i = 0; i < 6; ++i) append_by_hand(path(), i, sync);
        },
        is_refused);
  };
  EXPECT_GT(write(false), 10U);
  fs::remove(path());
  LogWriter::create(folder_.path(), "log", kOwner, 1).close();
  EXPECT_EQ(write(true), 0U);
}

TEST_F(CarelessWriter, IsFoundWhenItRenamesAFileThatIsNotSynced) {
  const auto is_wrong = [](const CrashState& state) {
    const Bytes bytes = read_bytes(state.folder + "/f");
    return bytes != kOld && bytes != kNew;
  };
  const auto replace = [&](bool synced) {
    write_bytes(path("f"), kOld);
    return wrong_states(
        [&](SimulatedDisk&) {
          write_file("tmp", kNew, synced);
          rename("tmp", "f");
          sync_folder(folder_.path());
        },
        is_wrong);
  };
  EXPECT_GT(replace(false), 10U);
  EXPECT_EQ(replace(true), 0U);
}

TEST_F(CarelessWriter, IsFoundWhenItReturnsBeforeTheFolderIsSynced) {
  const auto is_wrong = [](const CrashState& state) {
    return state.noted == 1 && read_bytes(state.folder + "/f") != kNew;
  };
  const auto replace = [&](bool synced) {
    write_bytes(path("f"), kOld);
    return wrong_states(
        [&](SimulatedDisk& disk) {
          write_file("tmp", kNew, true);
          rename("tmp", "f");
          if (synced) sync_folder(folder_.path());
          disk.note(1);
        },
        is_wrong);
  };
  EXPECT_GT(replace(false), 0U);
  EXPECT_EQ(replace(true), 0U);
}

TEST_F(CarelessWriter, IsFoundWhenItDoesNotSyncTheCutOfATornTail) {
  const std::uint64_t third = write_log_with_hole(folder_.path());
  const Bytes torn = read_bytes(path());
  const auto reopen = [&](bool synced) {
    write_bytes(path(), torn);
    const auto calls = [&](SimulatedDisk&) {
      const FileDescriptor file = open_to_write(path());
      EXPECT_EQ(::ftruncate(file.get(), static_cast<off_t>(third)), 0);
      if (synced) {
        EXPECT_EQ(::fsync(file.get()), 0);
      }
      Bytes log = cut(torn, third);
      add_record(log, load<LogHeader>(torn, 0).random, 3, {9, counting_bytes(2000)});
      const auto added = std::span<const std::byte>(log).subspan(third);
      EXPECT_EQ(write_all_at(file.get(), third, added), 0);
    };
    return wrong_states(calls, [](const CrashState& state) {
      LogRecords there;
      LogReader(state.folder + "/log", kOwner).replay(collect(there));
      return there.size() > 3;  // the fourth was never told of
    });
  };
  EXPECT_GT(reopen(false), 0U);
  EXPECT_EQ(reopen(true), 0U);
}

TEST_F(CarelessWriter, IsFoundWhenItMakesALogBeforeTheLastOneIsSynced) {
  const auto rotate = [&](bool closed) {
    return wrong_states(
        [&](SimulatedDisk&) {
          LogWriter first = LogWriter::create(folder_.path(), log_name(1), kOwner, 1);
          append(first, 0);
          append(first, 1);
          if (closed) first.close();
          LogWriter second = LogWriter::create(folder_.path(), log_name(3), kOwner, 3);
          append(second, 2);
        },
        [](const CrashState& state) {
          const auto logs = logs_of(state.folder);
          if (logs.size() < 2) return false;
          const LogReader last(logs[1], kOwner);
          return LogReader(logs[0], kOwner).replay(ignore_record).next.seq != last.start().seq;
        });
  };
  EXPECT_GT(rotate(false), 10U);
  for (const std::string& log : logs_of(folder_.path())) fs::remove(log);
  EXPECT_EQ(rotate(true), 0U);
}

}  // namespace
}  // namespace obliq
