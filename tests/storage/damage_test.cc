// Every damage to a section file is found, by open or by verify_all, and told with path and place.
#include "tests/storage/damage.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <functional>
#include <limits>
#include <stdexcept>
#include <string>

#include "storage/section_file.h"

namespace obliq {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using ::testing::ThrowsMessage;

constexpr std::uint64_t kHuge = std::numeric_limits<std::uint64_t>::max();

class DamagedFile : public ::testing::Test {
 protected:
  DamagedFile() {
    write_small_file(path_);
    sound_ = read_bytes(path_);
    header_ = load<FileHeader>(sound_, 0);
  }

  /// What open and verify_all say of these bytes; empty if nothing. Any exception but
  /// std::runtime_error, std::bad_alloc above all, leaves the test.
  std::string complaint(const Bytes& bytes) const {
    write_bytes(path_, bytes);
    try {
      SectionFile(path_).verify_all();
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return {};
  }

  /// The same after changing the header and sealing it again.
  std::string complaint_about_header(const std::function<void(FileHeader&)>& change) const {
    Bytes bytes = sound_;
    FileHeader header = header_;
    change(header);
    store(bytes, 0, header);
    reseal(bytes);
    return complaint(bytes);
  }

  /// The same after changing the entry of section number `index`.
  std::string complaint_about_entry(std::size_t index,
                                    const std::function<void(TableEntry&)>& change) const {
    Bytes bytes = sound_;
    const std::uint64_t at = header_.table_offset + index * sizeof(TableEntry);
    auto entry = load<TableEntry>(bytes, at);
    change(entry);
    store(bytes, at, entry);
    reseal(bytes);
    return complaint(bytes);
  }

  std::string says(std::string_view message) const { return fmt::format("{}: {}", path_, message); }

  TemporaryFolder folder_;
  std::string path_ = folder_ / "small";
  Bytes sound_;
  FileHeader header_;
};

TEST_F(DamagedFile, IsSoundBeforeTheDamage) {
  EXPECT_EQ(sound_.size(), 64U + 64 + 0 + 64 + 128 + 4 * 40);
  EXPECT_EQ(complaint(sound_), "");
  Bytes resealed = sound_;
  reseal(resealed);
  EXPECT_EQ(resealed, sound_);
}

TEST_F(DamagedFile, IsFoundWhicheverBitFlips) {
  for (std::size_t bit = 0; bit < sound_.size() * 8; ++bit) {
    Bytes bytes = sound_;
    bytes[bit / 8] ^= std::byte{1} << (bit % 8);
    ASSERT_THAT(complaint(bytes), StartsWith(path_ + ": ")) << "bit " << bit;
  }
}

TEST_F(DamagedFile, IsFoundAtWhicheverLengthItIsCut) {
  for (std::size_t length = 0; length < sound_.size(); ++length) {
    const Bytes bytes(sound_.begin(), sound_.begin() + static_cast<std::ptrdiff_t>(length));
    ASSERT_THAT(complaint(bytes), StartsWith(says("header at offset 0: "))) << length;
  }
}

TEST_F(DamagedFile, IsFoundWhenBytesFollowTheEnd) {
  for (const std::byte filler : {std::byte{0}, std::byte{0xFF}}) {
    for (std::size_t extra = 1; extra <= 130; ++extra) {
      Bytes bytes = sound_;
      bytes.resize(sound_.size() + extra, filler);
      const std::size_t size = sound_.size();
      ASSERT_EQ(complaint(bytes), says(fmt::format("header at offset 0: the file has {} bytes, its "
                                                   "header says {}",
                                                   size + extra, size)));
    }
  }
}

TEST_F(DamagedFile, IsFoundWhenAPartIsWrittenOverAnother) {
  for (std::size_t from = 0; from + 64 <= 320; from += 64) {
    for (std::size_t to = 0; to + 64 <= 320; to += 64) {
      Bytes bytes = sound_;
      std::copy_n(sound_.begin() + static_cast<std::ptrdiff_t>(from), 64,
                  bytes.begin() + static_cast<std::ptrdiff_t>(to));
      if (bytes == sound_) continue;
      ASSERT_NE(complaint(bytes), "") << from << " over " << to;
    }
  }
}

TEST_F(DamagedFile, IsNamedWithItsSectionAndOffset) {
  Bytes bytes = sound_;
  bytes[header_.table_offset - 60] ^= std::byte{1};
  EXPECT_EQ(complaint(bytes), says("section 'last' at offset 192: checksum mismatch"));
  const SectionFile file(path_);
  file.verify("odd");
  EXPECT_THROW(file.verify("last"), std::runtime_error);
}

TEST_F(DamagedFile, OfAnotherKindIsNotCalledDamaged) {
  EXPECT_EQ(complaint({}), says("header at offset 0: the file is empty"));
  for (const std::size_t size : {1, 7, 8, 63, 64}) {
    EXPECT_EQ(complaint(Bytes(size)), says("header at offset 0: not an obliq index")) << size;
  }
  for (const std::size_t size : {1, 7, 8, 63}) {
    EXPECT_EQ(complaint({sound_.begin(), sound_.begin() + static_cast<std::ptrdiff_t>(size)}),
              says(fmt::format(
                  "header at offset 0: the file has {} bytes, its header alone takes 64", size)));
  }
  EXPECT_EQ(complaint_about_header([](FileHeader& h) { h.format_version = 3; }),
            says("header at offset 0: format version 3; this obliq reads version 2: it was written "
                 "by a newer one, take that"));
}

TEST_F(DamagedFile, IsRefusedWhenTheHeaderLies) {
  const std::uint32_t most = std::numeric_limits<std::uint32_t>::max();
  const auto with_count = [&](std::uint32_t count) {
    return complaint_about_header([=](FileHeader& h) { h.section_count = count; });
  };
  EXPECT_EQ(with_count(most), says(fmt::format("table at offset 320: {} sections take {} bytes, "
                                               "160 are there",
                                               most, std::uint64_t{most} * 40)));
  for (const std::uint32_t count : {0U, 3U, 5U}) EXPECT_NE(with_count(count), "") << count;

  const std::uint64_t lies[] = {0,   1,   63,  64,  280,   319,        321,
                                360, 479, 480, 481, kHuge, kHuge - 159};
  for (const std::uint64_t lie : lies) {
    EXPECT_NE(complaint_about_header([=](FileHeader& h) { h.table_offset = lie; }), "") << lie;
    if (lie == sound_.size()) continue;
    EXPECT_NE(complaint_about_header([=](FileHeader& h) { h.file_bytes = lie; }), "") << lie;
  }
  const auto with_table = [&](std::uint32_t count, std::uint64_t offset) {
    return complaint_about_header([=](FileHeader& h) {
      h.section_count = count;
      h.table_offset = offset;
    });
  };
  EXPECT_EQ(with_table(12, 0), says("table at offset 0: lies outside the file"));
  EXPECT_EQ(with_table(13, kHuge - 39),  // 480 - (2^64 - 40) is 13 * 40 where it wraps
            says(fmt::format("table at offset {}: lies outside the file", kHuge - 39)));
  EXPECT_EQ(complaint_about_header([](FileHeader& h) { h.zeros[11] = 1; }),
            says("header at offset 0: reserved bytes are not zero"));
}

TEST_F(DamagedFile, IsRefusedWhenASectionLiesAboutItsSize) {
  const std::uint64_t lies[] = {64,         65,         129,        320,   std::uint64_t{1} << 40,
                                kHuge - 64, kHuge - 63, kHuge - 62, kHuge, kHuge / 2};
  for (const std::uint64_t lie : lies) {
    for (const std::size_t index : {0U, 1U, 3U}) {
      const bool true_size = index == 0 && lie == 64;  // 5 bytes and 59 zeros: a sound file, too
      const auto complained = complaint_about_entry(index, [=](TableEntry& e) { e.bytes = lie; });
      EXPECT_EQ(complained.empty(), true_size) << "section " << index << ", size " << lie;
    }
  }
  EXPECT_EQ(complaint_about_entry(3, [](TableEntry& e) { e.bytes = kHuge; }),
            says(fmt::format("section 'last' at offset 192: {} bytes and their padding reach past "
                             "the table at 320",
                             kHuge)));
  EXPECT_EQ(complaint_about_entry(3, [](TableEntry& e) { e.bytes = 64; }),
            says("table at offset 320: sections end at 256"));
}

TEST_F(DamagedFile, IsRefusedWhenTheTableStartsWithinThePadding) {
  Bytes bytes = sound_;
  bytes.erase(bytes.begin() + 319);
  FileHeader header = header_;
  header.file_bytes = 479;
  header.table_offset = 319;
  store(bytes, 0, header);
  reseal(bytes);
  EXPECT_EQ(complaint(bytes), says("section 'last' at offset 192: 70 bytes and their padding reach "
                                   "past the table at 319"));
}

TEST_F(DamagedFile, IsRefusedWhenASectionLiesAboutItsPlace) {
  for (const std::uint64_t lie : {std::uint64_t{0}, std::uint64_t{63}, std::uint64_t{65},
                                  std::uint64_t{128}, std::uint64_t{480}, kHuge, kHuge - 4}) {
    EXPECT_EQ(complaint_about_entry(0, [=](TableEntry& e) { e.offset = lie; }),
              says(fmt::format("section 'odd' at offset {}: should start at 64", lie)));
  }
}

TEST_F(DamagedFile, IsRefusedWhenANameCannotBe) {
  const auto named = [&](std::string_view name) {
    return complaint_about_entry(1, [=](TableEntry& e) {
      std::memset(e.name, 0, sizeof e.name);
      std::memcpy(e.name, name.data(), name.size());
    });
  };
  using std::string_view_literals::operator""sv;
  EXPECT_EQ(named("other"), "");
  for (const auto name : {""sv, "sixteen_letters_"sv, "a\0b"sv, "line\n"sv, "\x80"sv, "a b"sv}) {
    EXPECT_EQ(named(name), says("table entry at offset 360: not a section name")) << name;
  }
  EXPECT_EQ(named("odd"), says("section 'odd' at offset 128: second section of this name"));
  EXPECT_EQ(complaint_about_entry(1, [](TableEntry& e) { e.flags = 2; }),
            says("section 'empty' at offset 128: unknown flags"));
}

TEST_F(DamagedFile, IsRefusedWhenPaddingIsNotZero) {
  Bytes bytes = sound_;
  bytes[64 + 63] = std::byte{1};
  reseal(bytes);
  EXPECT_EQ(complaint(bytes), says("section 'odd' at offset 64: padding is not zero"));
}

TEST_F(DamagedFile, IsFoundByVerifyWhenCutWhileOpen) {
  const SectionFile file(path_);
  std::filesystem::resize_file(path_, 100);
  EXPECT_THAT([&] { file.verify_all(); },
              ThrowsMessage<std::runtime_error>(
                  says("cut to 100 bytes while in use; it had 480 when opened")));
}

TEST(SectionFileOpen, RefusesWhatIsNoRegularFileWithoutWaiting) {
  const TemporaryFolder folder;
  const std::string pipe = folder / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  for (const std::string& path : {pipe, folder.path(), folder / "missing", std::string()}) {
    EXPECT_THAT([&] { SectionFile file(path); },
                ThrowsMessage<std::system_error>(StartsWith(path + ": cannot ")));
  }
  EXPECT_THAT([&] { SectionFile file(folder / "missing"); },
              ThrowsMessage<std::system_error>(HasSubstr("open: No such file")));
}

}  // namespace
}  // namespace obliq
