// What a log gives back, in one process and in several, whole and cut.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <stdexcept>
#include <system_error>

#include "storage/crc32c.h"
#include "storage/log_reader.h"
#include "storage/log_writer.h"
#include "tests/storage/damage.h"
#include "tests/storage/log_image.h"

namespace obliq {
namespace {

namespace fs = std::filesystem;
using ::testing::StartsWith;
using ::testing::ThrowsMessage;

constexpr std::uint64_t kOwner = 0xABCDEF;
constexpr std::uint64_t kFirst = 41;

/// Records of 0 to 40 bytes, and one of more than is read at a time.
LogRecords some_records() {
  LogRecords records;
  for (std::uint8_t i = 0; i < 20; ++i) records.push_back({i, counting_bytes(i * 2U)});
  records.push_back({255, counting_bytes(600'001)});
  records.push_back({3, {}});
  return records;
}

void append_all(LogWriter& log, const LogRecords& records) {
  for (const LogRecord& record : records) log.append(record.type, record.payload);
}

class LogFile : public ::testing::Test {
 protected:
  LogWriter create() { return LogWriter::create(folder_.path(), "log", kOwner, kFirst); }
  void create_with(const LogRecords& records) {
    LogWriter log = create();
    append_all(log, records);
    log.close();
  }
  /// All records of the file, whose numbers rise from the first; its end goes to end_.
  LogRecords replayed() {
    LogRecords records;
    const LogTake take = collect(records);
    end_ = LogReader(path_, kOwner).replay([&](auto seq, auto type, auto payload) {
      EXPECT_EQ(seq, kFirst + records.size());
      take(seq, type, payload);
    });
    EXPECT_EQ(end_.next.seq, kFirst + records.size());
    EXPECT_EQ(end_.next.offset + end_.torn_bytes, fs::file_size(path_));
    return records;
  }

  TemporaryFolder folder_;
  std::string path_ = folder_ / "log";
  LogEnd end_{};
};

TEST_F(LogFile, GivesBackWhatWasAppended) {
  LogWriter log = create();
  EXPECT_EQ(replayed(), LogRecords{});
  const LogRecords records = some_records();
  std::uint64_t seq = kFirst;
  for (const LogRecord& record : records) {
    EXPECT_EQ(log.append(record.type, record.payload), seq++);
  }
  EXPECT_EQ(replayed(), records);  // not synced, but there for others
  EXPECT_EQ(log.synced_bytes(), 4096U);
  log.sync();
  EXPECT_EQ(replayed(), records);
  EXPECT_EQ(log.synced_bytes(), end_.next.offset);
  log.close();
  EXPECT_EQ(replayed(), records);
  EXPECT_EQ(end_.torn_bytes, 0U);
  EXPECT_EQ(file_count(folder_), 1U);
}

TEST_F(LogFile, JoinsThePartsOfAPayload) {
  LogWriter log = create();
  const Bytes whole = counting_bytes(100);
  const std::span<const std::byte> bytes(whole);
  const std::array parts{bytes.first(1), bytes.subspan(1, 0), bytes.subspan(1, 70),
                         bytes.subspan(71)};
  log.append(7, parts);
  log.append(8, std::span<const std::span<const std::byte>>());
  EXPECT_EQ(replayed(), (LogRecords{{7, whole}, {8, {}}}));
}

// The layout of docs/file_format.md, put together here once more.
TEST_F(LogFile, HasTheDocumentedBytes) {
  create_with({{9, counting_bytes(5)}});
  const Bytes file = read_bytes(path_);
  ASSERT_EQ(file.size(), 4096U + 32);
  EXPECT_EQ(std::memcmp(file.data(), "OBLIQLG", 8), 0);
  EXPECT_EQ(load<std::uint32_t>(file, 8), 1U);
  EXPECT_EQ(load<std::uint64_t>(file, 24), kFirst);
  EXPECT_EQ(load<std::uint64_t>(file, 32), kOwner);
  const std::span<const std::byte> bytes(file);
  EXPECT_EQ(load<std::uint32_t>(file, 40), crc32c(bytes.first(40)));

  const auto with_seed = [&](std::uint64_t offset, Bytes covered) {
    Bytes all(16);
    store(all, 0, load<std::uint64_t>(file, 16));
    store(all, 8, offset);
    all.insert(all.end(), covered.begin(), covered.end());
    return crc32c(all);
  };
  EXPECT_EQ(load<std::uint64_t>(file, 512), kFirst);
  EXPECT_EQ(load<std::uint64_t>(file, 520), 4096U + 32);
  EXPECT_EQ(load<std::uint64_t>(file, 1024), kFirst - 1);
  EXPECT_EQ(load<std::uint64_t>(file, 1032), 4096U);
  for (const std::size_t slot : {512, 1024}) {
    const auto covered = bytes.subspan(slot, 16);
    EXPECT_EQ(load<std::uint32_t>(file, slot + 16),
              with_seed(slot, {covered.begin(), covered.end()}));
  }
  Bytes record(32);
  store(record, 0, std::uint32_t{5});
  store(record, 8, kFirst);
  store(record, 16, std::uint8_t{9});
  std::ranges::copy(counting_bytes(5), record.begin() + 24);
  Bytes covered = record;
  covered.erase(covered.begin() + 4, covered.begin() + 8);
  store(record, 4, with_seed(4096, covered));
  EXPECT_EQ(cut({file.begin() + 4096, file.end()}, 32), record);
}

TEST_F(LogFile, GoesOnWhereItEndedAndNumbersOn) {
  const LogRecords records = some_records();
  create_with({});
  LogRecords expected;
  for (const LogRecord& record : records) {
    LogRecords there;
    LogWriter log = LogWriter::open_for_append(path_, kOwner, collect(there));
    EXPECT_EQ(there, expected);
    EXPECT_EQ(log.append(record.type, record.payload), kFirst + expected.size());
    expected.push_back(record);
    if (record.type % 3 == 0) log.close();
    if (record.type % 3 == 1) log.sync();
  }
  EXPECT_EQ(replayed(), records);
}

TEST_F(LogFile, WritesItsSlotsInTurnAlsoWhenItIsReopened) {
  create_with({});
  std::size_t slot = 0;
  for (std::uint64_t seq = kFirst; seq < kFirst + 9; ++seq) {
    LogWriter log = LogWriter::open_for_append(path_, kOwner, ignore_record);
    log.append(1, counting_bytes(seq));
    seq % 3 == 0 ? log.close() : log.sync();
    const Bytes file = read_bytes(path_);
    EXPECT_EQ(load<LogSlot>(file, slot_offset(slot)).seq, seq);
    EXPECT_EQ(load<LogSlot>(file, slot_offset(1 - slot)).seq, seq - 1);
    slot = 1 - slot;
  }
}

TEST_F(LogFile, LosesOnlyTheLastRecordAtWhicheverByteTheWriterIsKilled) {
  const LogRecords records{{1, counting_bytes(9)}, {2, counting_bytes(33)}, {3, {}}};
  LogWriter log = create();
  std::vector<std::uint64_t> ends{log.next().offset};
  for (const LogRecord& record : records) {
    log.append(record.type, record.payload);
    ends.push_back(log.next().offset);
  }
  const Bytes whole = read_bytes(path_);
  for (std::size_t size = ends.front(); size <= whole.size(); ++size) {
    const auto last = std::ranges::upper_bound(ends, size) - ends.begin() - 1;
    write_bytes(path_, cut(whole, size));
    LogRecords expected(records.begin(), records.begin() + last);
    ASSERT_EQ(replayed(), expected) << size;
    ASSERT_EQ(end_.torn_bytes, size - ends[static_cast<std::size_t>(last)]);
    LogWriter::open_for_append(path_, kOwner, ignore_record).append(4, counting_bytes(5));
    expected.push_back({4, counting_bytes(5)});
    ASSERT_EQ(replayed(), expected) << size;
    ASSERT_EQ(end_.torn_bytes, 0U);
  }
}

TEST_F(LogFile, IsFollowedFromAnyRecordOnWhileItGrows) {
  LogWriter log = create();
  const LogReader reader(path_, kOwner);
  LogRecords seen;
  LogPlace place = reader.start();
  LogRecords expected;
  for (const LogRecord& record : some_records()) {
    log.append(record.type, record.payload);
    expected.push_back(record);
    if (record.type % 4 == 1) log.sync();
    if (record.type % 2 == 0) place = reader.replay(place, collect(seen)).next;
  }
  place = reader.replay(place, collect(seen)).next;
  EXPECT_EQ(seen, expected);
  EXPECT_EQ(reader.replay(place, collect(seen)).next.offset, log.next().offset);
  EXPECT_EQ(seen.size(), expected.size());
}

TEST_F(LogFile, IsFollowedWhileAnotherProcessAppends) {
  create_with({});
  constexpr std::size_t kCount = 3000;
  const pid_t child = ::fork();
  if (child == 0) {
    LogWriter log = LogWriter::open_for_append(path_, kOwner, ignore_record);
    for (std::size_t i = 0; i < kCount; ++i) {
      log.append(static_cast<std::uint8_t>(i), counting_bytes(i % 700));
      if (i % 16 == 0) log.sync();
    }
    log.close();
    ::_exit(0);
  }
  const LogReader reader(path_, kOwner);
  LogPlace place = reader.start();
  std::size_t count = 0;
  int status = -1;
  for (bool running = true; running;) {
    running = ::waitpid(child, &status, WNOHANG) == 0;
    place = reader
                .replay(place,
                        [&](auto, auto type, auto payload) {
                          EXPECT_EQ(type, count % 256);
                          EXPECT_EQ(payload.size(), count % 700);
                          ++count;
                        })
                .next;
  }
  EXPECT_EQ(status, 0);
  EXPECT_EQ(count, kCount);
}

TEST_F(LogFile, PassesOnWhatTheTakerThrows) {
  create_with(some_records());
  EXPECT_THAT(
      [&] {
        LogWriter::open_for_append(path_, kOwner,
                                   [](auto...) { throw std::invalid_argument("enough"); });
      },
      ThrowsMessage<std::invalid_argument>("enough"));
  EXPECT_EQ(replayed(), some_records());
}

TEST_F(LogFile, RefusesWhatItCannotDoBeforeItDoesAnything) {
  EXPECT_THROW(LogWriter::create(folder_.path(), "log", kOwner, 0), std::invalid_argument);
  EXPECT_EQ(file_count(folder_), 0U);
  LogWriter log = create();
  EXPECT_THAT([&] { create(); },
              ThrowsMessage<std::system_error>(path_ + ": cannot create: File exists"));
  EXPECT_THROW(LogWriter::create(folder_ / "missing", "log", kOwner, 1), std::system_error);
  const Bytes part = counting_bytes(1'000'000);
  std::vector<std::span<const std::byte>> parts(1000, part);
  parts.push_back(std::span(part).first(1));
  EXPECT_THAT([&] { log.append(0, parts); },
              ThrowsMessage<std::invalid_argument>(path_ + ": a record of 1000000001 bytes; at "
                                                           "most 1000000000 are possible"));
  EXPECT_EQ(log.append(0, counting_bytes(3)), kFirst);
  log.close();
  EXPECT_THROW(log.append(0, counting_bytes(3)), std::invalid_argument);
  EXPECT_THROW(log.sync(), std::invalid_argument);
  EXPECT_THROW(log.close(), std::invalid_argument);
  EXPECT_EQ(replayed(), (LogRecords{{0, counting_bytes(3)}}));
  EXPECT_EQ(file_count(folder_), 1U);
}

TEST_F(LogFile, RefusesLinksFoldersAndWhatIsMissing) {
  create_with({});
  fs::create_symlink("log", folder_ / "link");
  for (const auto* name : {"link", "missing", "."}) {
    const std::string path = folder_ / name;
    EXPECT_THAT([&] { LogWriter::open_for_append(path, kOwner, ignore_record); },
                ThrowsMessage<std::system_error>(StartsWith(path + ": cannot ")));
  }
  EXPECT_THROW(LogWriter::create(folder_.path(), "link", kOwner, 1), std::system_error);
}

}  // namespace
}  // namespace obliq
