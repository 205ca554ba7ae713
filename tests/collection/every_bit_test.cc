// Each bit of each file of a collection flipped, each file cut anywhere, each block of 512 bytes
// and of 4 KiB swapped with each other one that differs, within and between files. First the
// reader of that kind of file looks, which Collection::verify calls; where it finds nothing, the
// whole collection is opened and verified. Some of all that by default; OBLIQ_EVERY_BIT=1: all.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include "collection/manifest.h"
#include "core/random.h"
#include "storage/file_descriptor.h"
#include "storage/log_reader.h"
#include "storage/section_file.h"
#include "tests/collection/damaged_collection.h"

namespace obliq {
namespace {

class EveryBit : public DamageOfCollections {
 protected:
  struct Block {
    std::size_t file;  // of files_
    std::size_t at;
  };

  void SetUp() override {
    DamageOfCollections::SetUp();
    const CollectionDirectory directory(path());
    owner_ = read_manifest(directory, directory.newest_manifest()).info.collection;
    for (const std::string& file : files_) {
      bytes_.push_back(read_bytes(file));
      descriptors_.emplace_back(::open(file.c_str(), O_RDWR | O_CLOEXEC));
      EXPECT_FALSE(is_refused(file)) << file;
    }
    EXPECT_FALSE(is_found());
  }
  // Whether the reader of this kind of file finds damage.
  bool is_refused(const std::string& file) const {
    try {
      if (std::filesystem::path(file).filename().string().starts_with("log-")) {
        LogReader(file, owner_).replay([](std::uint64_t, std::uint8_t, auto) {});
      } else {
        SectionFile(file).verify_all();
      }
      return false;
    } catch (const std::exception&) {
      return true;
    }
  }
  void put(std::size_t file, std::size_t at, std::span<const std::byte> bytes) const {
    const ssize_t written =
        ::pwrite(descriptors_[file].get(), bytes.data(), bytes.size(), static_cast<off_t>(at));
    ASSERT_EQ(written, static_cast<ssize_t>(bytes.size()));
  }
  std::span<const std::byte> block(const Block& block, std::size_t size) const {
    return std::span(bytes_[block.file]).subspan(block.at, size);
  }
  void flip(std::size_t file, std::size_t bit) {
    const std::byte byte = bytes_[file][bit / 8] ^ static_cast<std::byte>(1U << bit % 8);
    put(file, bit / 8, std::span(&byte, 1));
    EXPECT_TRUE(is_refused(files_[file]) || is_found()) << files_[file] << ": bit " << bit;
    put(file, bit / 8, std::span(bytes_[file]).subspan(bit / 8, 1));
    ++damages_;
  }
  // Of equal length, the shorter one's where one is at the end of its file.
  void swap(const Block& one, const Block& other, std::size_t most) {
    const std::size_t size =
        std::min({most, bytes_[one.file].size() - one.at, bytes_[other.file].size() - other.at});
    if (std::ranges::equal(block(one, size), block(other, size))) return;
    put(one.file, one.at, block(other, size));
    put(other.file, other.at, block(one, size));
    EXPECT_TRUE(is_refused(files_[one.file]) || is_refused(files_[other.file]) || is_found())
        << size << " bytes of " << files_[one.file] << " at " << one.at << " and of "
        << files_[other.file] << " at " << other.at;
    put(one.file, one.at, block(one, size));
    put(other.file, other.at, block(other, size));
    ++damages_;
  }
  std::vector<Block> blocks(std::size_t size) const {
    std::vector<Block> blocks;
    for (std::size_t file = 0; file < files_.size(); ++file) {
      for (std::size_t at = 0; at < bytes_[file].size(); at += size) blocks.push_back({file, at});
    }
    return blocks;
  }

  const bool all_ = std::getenv("OBLIQ_EVERY_BIT") != nullptr;
  std::uint64_t owner_ = 0;
  std::vector<Bytes> bytes_;  // of the sound files
  std::vector<FileDescriptor> descriptors_;
  int damages_ = 0;
};

TEST_F(EveryBit, IsUnderAChecksum) {
  Random random(4);
  for (std::size_t file = 0; file < files_.size(); ++file) {
    const std::size_t bits = 8 * bytes_[file].size();
    for (std::size_t bit = 0; bit < bits; bit += all_ ? 1 : 1 + random.below(150)) flip(file, bit);
    ASSERT_FALSE(HasFailure());
  }
  EXPECT_FALSE(is_found());
  RecordProperty("bits", damages_);
}

TEST_F(EveryBit, IsMissedWhereAFileIsCut) {
  for (std::size_t file = 0; file < files_.size(); ++file) {
    for (std::size_t size = 0; size < bytes_[file].size(); size += all_ ? 1 : 32) {
      ASSERT_EQ(::ftruncate(descriptors_[file].get(), static_cast<off_t>(size)), 0);
      ASSERT_TRUE(is_refused(files_[file]) || is_found()) << files_[file] << ", " << size;
      put(file, size, std::span(bytes_[file]).subspan(size));
      ++damages_;
    }
  }
  EXPECT_FALSE(is_found());
  RecordProperty("cuts", damages_);
}

TEST_F(EveryBit, IsMissedWhereBlocksAreSwapped) {
  Random random(5);
  for (const std::size_t size : {std::size_t{512}, std::size_t{4096}}) {
    const std::vector<Block> blocks = this->blocks(size);
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      for (std::size_t j = i + 1; j < blocks.size(); j += all_ ? 1 : 1 + random.below(20)) {
        swap(blocks[i], blocks[j], size);
        ASSERT_FALSE(HasFailure());
      }
    }
  }
  EXPECT_FALSE(is_found());
  RecordProperty("swaps", damages_);
}

}  // namespace
}  // namespace obliq
