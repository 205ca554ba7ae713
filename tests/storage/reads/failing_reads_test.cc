// A disk that cannot be read at one place, and how much is read of files that are refused. The
// system's function is replaced in this program: a definition of ours goes before the library's.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <system_error>

#include "storage/section_file.h"
#include "tests/storage/damage.h"

namespace {

constexpr std::int64_t kSound = std::numeric_limits<std::int64_t>::max() / 2;  // beyond each file
constexpr std::int64_t kSector = 512;

std::int64_t bad_sector = kSound;  // offset of the bytes that cannot be read
std::size_t bytes_read = 0;
bool hesitant = false;  // every second call is interrupted, and the others give at most 7 bytes
bool interrupt = false;

}  // namespace

extern "C" ssize_t pread(int fd, void* out, size_t count, off_t offset) {
  if (hesitant) {
    interrupt = !interrupt;
    errno = EINTR;
    if (interrupt) return -1;
    count = std::min<size_t>(count, 7);
  }
  if (offset < bad_sector + kSector && bad_sector < offset + static_cast<off_t>(count)) {
    errno = EIO;
    if (offset >= bad_sector) return -1;
    count = static_cast<size_t>(bad_sector - offset);
  }
  const ssize_t got = ::syscall(SYS_pread64, fd, out, count, offset);
  bytes_read += static_cast<std::size_t>(std::max<ssize_t>(got, 0));
  return got;
}

namespace obliq {
namespace {

class FailingReads : public ::testing::Test {
 protected:
  FailingReads() {
    write_sections(path_, {{"first", counting_bytes(1000)},
                           {"large", counting_bytes((std::size_t{3} << 20) + 5)},
                           {"last", counting_bytes(10)}});
    size_ = std::filesystem::file_size(path_);
    bytes_read = 0;
  }
  ~FailingReads() override {
    bad_sector = kSound;
    hesitant = false;
  }

  /// The error of opening and verifying where the sector at `offset` is bad; empty: none.
  std::string error_at(std::int64_t offset, Loading loading) {
    bad_sector = offset;
    std::string what;
    try {
      const SectionFile file(path_, loading);
      file.verify_all();
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code().value(), EIO);
      what = error.what();
    }
    bad_sector = kSound;
    return what;
  }

  TemporaryFolder folder_;
  std::string path_ = folder_ / "index";
  std::uint64_t size_ = 0;
};

TEST_F(FailingReads, AreAnErrorWithSectionAndOffset) {
  const struct {
    std::uint64_t bad;
    std::string where;
  } cases[] = {{0, "header at offset 0"},
               {512, "section 'first' at offset 512"},
               {2048, "section 'large' at offset 2048"},
               {std::uint64_t{2} << 20, "section 'large' at offset 2097152"},
               {size_ - 120, fmt::format("table at offset {}", size_ - 120)}};
  for (const Loading loading : {Loading::mapped, Loading::memory}) {
    for (const auto& [bad, where] : cases) {
      EXPECT_EQ(error_at(static_cast<std::int64_t>(bad), loading),
                fmt::format("{}: cannot read {}: Input/output error", path_, where));
    }
    EXPECT_EQ(error_at(kSound, loading), "");
  }
}

TEST_F(FailingReads, GoOnAfterInterruptedAndShortReads) {
  write_small_file(path_);
  hesitant = true;
  for (const Loading loading : {Loading::mapped, Loading::memory}) {
    const SectionFile file(path_, loading);
    file.verify_all();
    EXPECT_EQ(file.verified_copy("last"), counting_bytes(70));
  }
}

TEST_F(FailingReads, AreNotTriedBeyondTheHeaderOfAFileOfAnotherKind) {
  const std::string foreign = folder_ / "foreign";
  std::ofstream(foreign) << std::string(100, 'x');
  std::filesystem::resize_file(foreign, std::uint64_t{1} << 40);  // a hole
  for (const Loading loading : {Loading::mapped, Loading::memory}) {
    bytes_read = 0;
    EXPECT_THAT([&] { SectionFile(foreign, loading); },
                ::testing::ThrowsMessage<std::runtime_error>(
                    foreign + ": header at offset 0: not an obliq index"));
    EXPECT_EQ(bytes_read, 64U);
  }
}

TEST_F(FailingReads, ReadOnlyHeaderAndTableWhenAFileIsMapped) {
  const SectionFile file(path_);
  EXPECT_EQ(bytes_read, 64U + 3 * 40);
}

TEST_F(FailingReads, GiveCopiesThatOutliveTheBytesOfTheFile) {
  const SectionFile file(path_);
  const Bytes copy = file.verified_copy("first");
  std::filesystem::resize_file(path_, 0);
  EXPECT_EQ(copy, counting_bytes(1000));
  EXPECT_THROW(file.verified_copy("first"), std::runtime_error);
}

}  // namespace
}  // namespace obliq
