// Damage of a log is found wherever a slot covers it, and told with path and place.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "storage/log_writer.h"
#include "tests/storage/damage.h"
#include "tests/storage/log_image.h"

namespace obliq {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::uint64_t kOwner = 5;
constexpr std::uint64_t kFirst = 1;
const LogRecords kRecords{
    {1, counting_bytes(9)}, {2, counting_bytes(33)}, {3, {}}, {4, counting_bytes(33)}};

/// Closed, with both slots behind records.
Bytes closed_log(const LogRecords& records = kRecords) {
  const TemporaryFolder folder;
  LogWriter log = LogWriter::create(folder.path(), "log", kOwner, kFirst);
  for (const LogRecord& record : records) {
    log.append(record.type, record.payload);
    log.sync();
  }
  log.close();
  return read_bytes(folder / "log");
}

class DamagedLog : public ::testing::Test {
 protected:
  DamagedLog() {
    for (const LogRecord& record : kRecords) {
      starts_.push_back(starts_.back() + log_record_bytes(record.payload.size()));
    }
  }

  std::string complaint(const Bytes& log) const { return log_complaint(log, kOwner); }
  /// The same after changing the header, which gets its checksum.
  template <typename Change>
  std::string complaint_about_header(const Change& change) const {
    Bytes log = sound_;
    auto header = load<LogHeader>(log, 0);
    change(header);
    header.crc = log_header_crc(header);
    store(log, 0, header);
    return complaint(log);
  }
  /// The same with other slots.
  std::string complaint_about_slots(LogSlot first, LogSlot second) const {
    Bytes log = sound_;
    set_slot(log, random_, 0, first.seq, first.bytes);
    set_slot(log, random_, 1, second.seq, second.bytes);
    return complaint(log);
  }

  Bytes sound_ = closed_log();
  std::uint64_t random_ = load<LogHeader>(sound_, 0).random;
  std::vector<std::uint64_t> starts_{kLogHeadBytes};  // of each record, and the end
};

TEST_F(DamagedLog, IsSoundBeforeTheDamage) {
  EXPECT_EQ(complaint(sound_), "");
  EXPECT_EQ(starts_.back(), sound_.size());
  EXPECT_EQ(load<LogSlot>(sound_, slot_offset(0)).seq, 3U);
  EXPECT_EQ(load<LogSlot>(sound_, slot_offset(1)).seq, 4U);
}

TEST_F(DamagedLog, IsFoundWhicheverBitFlips) {
  Bytes log = sound_;
  for (std::size_t bit = 0; bit < log.size() * 8; ++bit) {
    log[bit / 8] ^= std::byte{1} << (bit % 8);
    ASSERT_THAT(complaint(log), StartsWith("log: ")) << "bit " << bit;
    log[bit / 8] ^= std::byte{1} << (bit % 8);
  }
}

TEST_F(DamagedLog, IsFoundAtWhicheverLengthItIsCut) {
  for (std::size_t size = 0; size < sound_.size(); ++size) {
    ASSERT_THAT(complaint(cut(sound_, size)), StartsWith("log: ")) << size;
  }
}

TEST_F(DamagedLog, IsFoundWhicheverSectorIsZero) {
  for (std::size_t at = 0; at < sound_.size(); at += kLogSectorBytes) {
    Bytes log = sound_;
    const std::size_t end = std::min<std::size_t>(at + kLogSectorBytes, log.size());
    std::fill(log.begin() + static_cast<std::ptrdiff_t>(at),
              log.begin() + static_cast<std::ptrdiff_t>(end), std::byte{0});
    ASSERT_EQ(complaint(log).empty(), log == sound_) << at;
  }
}

TEST_F(DamagedLog, IsFoundWhenRecordsOfOneSizeChangePlaces) {
  Bytes log = sound_;
  ASSERT_EQ(kRecords[1].payload.size(), kRecords[3].payload.size());
  const auto at = [&](std::size_t record) {
    return log.begin() + static_cast<std::ptrdiff_t>(starts_[record]);
  };
  std::swap_ranges(at(1), at(2), at(3));
  EXPECT_EQ(complaint(log), fmt::format("log: record 2 at offset {}: another number", starts_[1]));

  // With the numbers that they should have, the offset in the checksum is what tells.
  auto head = load<LogRecordHead>(log, starts_[1]);
  head.seq = 2;
  store(log, starts_[1], head);
  EXPECT_EQ(complaint(log),
            fmt::format("log: record 2 at offset {}: checksum mismatch", starts_[1]));
}

TEST_F(DamagedLog, IsFoundWhenTheSlotsChangePlaces) {
  Bytes log = sound_;
  std::swap_ranges(log.begin() + 512, log.begin() + 1024, log.begin() + 1024);
  EXPECT_EQ(complaint(log), "log: slot at offset 512: checksum mismatch");
  log = sound_;
  std::copy_n(sound_.begin() + 512, 512, log.begin() + 1024);  // the older over the newer one
  EXPECT_EQ(complaint(log), "log: slot at offset 1024: checksum mismatch");
}

TEST_F(DamagedLog, IsFoundWhenBlocksComeFromALogOfTheSameRecords) {
  const Bytes other = closed_log();
  ASSERT_EQ(other.size(), sound_.size());
  for (std::size_t at = 0; at < sound_.size(); at += 8) {
    Bytes log = sound_;
    std::copy_n(other.begin() + static_cast<std::ptrdiff_t>(at), 8,
                log.begin() + static_cast<std::ptrdiff_t>(at));
    ASSERT_EQ(complaint(log).empty(), log == sound_) << at;
  }
  for (const std::size_t border : {512, 1024, 1536, 4096, 4136}) {
    Bytes log = cut(sound_, border);
    log.insert(log.end(), other.begin() + static_cast<std::ptrdiff_t>(border), other.end());
    EXPECT_NE(complaint(log), "") << border;
  }
}

TEST_F(DamagedLog, EndsBeforeTheFirstTornRecordBeyondTheSlots) {
  Bytes log = sound_;
  set_slot(log, random_, 0, 0, starts_[0]);
  set_slot(log, random_, 1, 1, starts_[1]);
  ASSERT_EQ(complaint(log), "");
  for (std::size_t size = starts_[1]; size < log.size(); ++size) {
    LogRecords records;
    const LogEnd end = replay_log("log", cut(log, size), kOwner, collect(records));
    ASSERT_EQ(end.next.offset + end.torn_bytes, size);
    ASSERT_EQ(end.next.offset, *std::prev(std::ranges::upper_bound(starts_, size)));
  }
  EXPECT_NE(complaint(cut(log, starts_[1] - 1)), "");
  for (std::size_t byte = starts_[2]; byte < log.size(); ++byte) {
    Bytes torn = log;
    torn[byte] ^= std::byte{0x40};
    LogRecords records;
    const LogEnd end = replay_log("log", torn, kOwner, collect(records));
    ASSERT_EQ(end.next.offset, *std::prev(std::ranges::upper_bound(starts_, byte)));
    ASSERT_EQ(records, LogRecords(kRecords.begin(),
                                  kRecords.begin() + static_cast<std::ptrdiff_t>(records.size())));
  }
}

TEST_F(DamagedLog, IsNamedWithTheRecordAndItsOffset) {
  Bytes log = sound_;
  log[starts_[2] - 10] ^= std::byte{1};
  EXPECT_EQ(complaint(log),
            fmt::format("log: record 2 at offset {}: checksum mismatch", starts_[1]));
  EXPECT_EQ(complaint(cut(sound_, sound_.size() - 8)),
            fmt::format("log: slot at offset 1024: the log should be whole up to {}, the file has "
                        "{} bytes",
                        sound_.size(), sound_.size() - 8));
}

TEST_F(DamagedLog, IsRefusedWhenTheHeaderLies) {
  EXPECT_EQ(complaint({}), "log: header at offset 0: the file is empty");
  EXPECT_EQ(complaint(Bytes(9)), "log: header at offset 0: not a log of obliq");
  EXPECT_EQ(complaint(cut(sound_, 4095)),
            "log: header at offset 0: the file has 4095 bytes, the head of a log alone takes 4096");
  EXPECT_THAT(complaint_about_header([](LogHeader& h) { h.version = 2; }),
              HasSubstr("format version 2; this obliq reads version 1"));
  EXPECT_EQ(complaint_about_header([](LogHeader& h) { h.owner = 6; }),
            "log: header at offset 0: a log of 0000000000000006, not of 0000000000000005");
  for (const auto& told : {complaint_about_header([](LogHeader& h) { h.zeros = 1; }),
                           complaint_about_header([](LogHeader& h) { h.more_zeros = 1; })}) {
    EXPECT_EQ(told, "log: header at offset 0: reserved bytes are not zero");
  }
  EXPECT_NE(complaint_about_header([](LogHeader& h) { h.random ^= 1; }), "");
  EXPECT_NE(complaint_about_header([](LogHeader& h) { h.first_seq = 0; }), "");
  EXPECT_NE(complaint_about_header([](LogHeader& h) { h.first_seq = 2; }), "");
}

TEST_F(DamagedLog, IsRefusedWhenASlotLies) {
  const LogSlot right{1, starts_[1], 0, 0};
  EXPECT_EQ(complaint_about_slots(right, right), "");
  EXPECT_EQ(complaint_about_slots({0, starts_[0], 0, 0}, right), "");
  for (const std::uint64_t lie : {std::uint64_t{0}, std::uint64_t{4095}, starts_[1] + 8,
                                  starts_[1] - 8, starts_.back() + 8, ~std::uint64_t{0}}) {
    EXPECT_THAT(complaint_about_slots({1, lie, 0, 0}, right), StartsWith("log: ")) << lie;
    EXPECT_THAT(complaint_about_slots(right, {1, lie, 0, 0}), StartsWith("log: ")) << lie;
  }
  EXPECT_EQ(
      complaint_about_slots(right, {1, starts_[2], 0, 0}),
      fmt::format("log: records at offset {}: number 3 comes next, a slot says 2", starts_[2]));
  EXPECT_EQ(complaint_about_slots({2, starts_[1] + 8, 0, 0}, right),
            fmt::format("log: record 2 at offset {}: ends at {}, a slot says {}", starts_[1],
                        starts_[2], starts_[1] + 8));
}

TEST_F(DamagedLog, TakesNoRecordThatIsSealedButWrong) {
  const auto is_taken = [&](const std::function<void(LogRecordHead&, Bytes&)>& change) {
    Bytes log = empty_log(7, kFirst, kOwner);
    add_record(log, 7, kFirst, {1, counting_bytes(5)});
    auto head = load<LogRecordHead>(log, kLogHeadBytes);
    change(head, log);
    store(log, kLogHeadBytes, head);
    const auto record = std::span<const std::byte>(log).subspan(kLogHeadBytes);
    head.crc = log_record_crc(record, 7, kLogHeadBytes);
    store(log, kLogHeadBytes, head);
    return replay_log("log", log, kOwner, ignore_record).next.offset == log.size();
  };
  EXPECT_TRUE(is_taken([](LogRecordHead&, Bytes&) {}));
  EXPECT_TRUE(is_taken([](LogRecordHead& head, Bytes&) { head.type = 9; }));
  EXPECT_FALSE(is_taken([](LogRecordHead& head, Bytes&) { ++head.seq; }));
  EXPECT_FALSE(is_taken([](LogRecordHead& head, Bytes&) { head.zeros[6] = 1; }));
  EXPECT_FALSE(is_taken([](LogRecordHead&, Bytes& log) { log.back() = std::byte{1}; }));
  for (const std::uint32_t lie : {4U, 9U, 1'000'000'001U, ~0U}) {
    EXPECT_FALSE(is_taken([lie](LogRecordHead& head, Bytes&) { head.bytes = lie; })) << lie;
  }
}

TEST_F(DamagedLog, InAFileIsRefusedByReaderAndWriterAndLeftAsItIs) {
  const TemporaryFolder folder;
  Bytes log = sound_;
  log.back() ^= std::byte{1};
  const std::string path = folder / "log";
  write_bytes(path, log);
  const std::string expected =
      fmt::format("{}: record 4 at offset {}: checksum mismatch", path, starts_[3]);
  EXPECT_THAT([&] { LogReader(path, kOwner).replay(ignore_record); },
              ::testing::ThrowsMessage<std::runtime_error>(expected));
  EXPECT_THAT([&] { LogWriter::open_for_append(path, kOwner, ignore_record); },
              ::testing::ThrowsMessage<std::runtime_error>(expected));
  EXPECT_EQ(read_bytes(path), log);
  log = sound_;
  log[600] = std::byte{1};
  write_bytes(path, log);
  EXPECT_THAT([&] { LogReader(path, kOwner); },
              ::testing::ThrowsMessage<std::runtime_error>(
                  path + ": slot at offset 512: reserved bytes are not zero"));
  write_bytes(path, cut(sound_, 4000));
  EXPECT_THROW(LogReader(path, kOwner), std::runtime_error);
}

TEST_F(DamagedLog, CutWhileItIsFollowedIsRefused) {
  const TemporaryFolder folder;
  write_bytes(folder / "log", sound_);
  const LogReader reader(folder / "log", kOwner);
  const LogPlace end = reader.replay(ignore_record).next;
  std::filesystem::resize_file(folder / "log", sound_.size() - 8);
  EXPECT_THROW(reader.replay(end, ignore_record), std::runtime_error);
}

}  // namespace
}  // namespace obliq
