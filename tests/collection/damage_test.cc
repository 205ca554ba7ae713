// Damaged files of a collection: bytes changed, files cut, swapped or missing. All is found by
// opening or by verify(). every_bit_test.cc damages each place, more quickly.
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "core/random.h"
#include "tests/collection/damaged_collection.h"

namespace obliq {
namespace {

namespace fs = std::filesystem;

TEST_F(DamageOfCollections, IsFoundInAnyByte) {
  ASSERT_GE(files_.size(), 5U);  // manifest, model, segments, bitmap, log
  ASSERT_FALSE(is_found());
  Random random(3);
  for (const std::string& file : files_) {
    const Bytes sound = read_bytes(file);
    const std::size_t step = 1 + sound.size() / 600;
    for (std::size_t at = random.below(step); at < sound.size(); at += step) {
      const std::uint64_t bit = random.below(8);
      Bytes bytes = sound;
      bytes[at] ^= static_cast<std::byte>(1U << bit);
      expect_found(file, bytes, "bit " + std::to_string(8 * at + bit));
    }
    write_bytes(file, sound);
  }
  EXPECT_FALSE(is_found());
}

TEST_F(DamageOfCollections, IsFoundInFilesThatAreCutSwappedOrMissing) {
  for (const std::string& file : files_) {
    const Bytes sound = read_bytes(file);
    for (std::size_t size = 0; size < sound.size(); size += 1 + sound.size() / 100) {
      const auto end = sound.begin() + static_cast<std::ptrdiff_t>(size);
      expect_found(file, Bytes(sound.begin(), end), "cut to " + std::to_string(size));
    }
    fs::remove(file);
    EXPECT_TRUE(is_found()) << file << " is missing";
    for (const std::string& other : files_) {
      if (other != file) expect_found(file, read_bytes(other), "swapped with " + other);
    }
    write_bytes(file, sound);
  }
  EXPECT_FALSE(is_found());
}

// A merge or a training would give it right checksums.
TEST_F(DamageOfCollections, IsNeitherMergedNorLearntFromNorExported) {
  for (const std::string& file : files_) {
    if (!fs::path(file).filename().string().starts_with("seg-")) continue;
    const Bytes sound = read_bytes(file);
    Bytes bytes = sound;
    bytes[bytes.size() * 3 / 4] ^= std::byte{16};
    write_bytes(file, bytes);
    Collection collection = Collection::open(path(), {.threads = 1});
    EXPECT_THROW(collection.compact(), std::runtime_error);
    EXPECT_THROW(collection.train(), std::runtime_error);
    EXPECT_THROW(collection.export_index(folder_.path() + "/x"), std::runtime_error);
    EXPECT_FALSE(fs::exists(folder_.path() + "/x"));
    collection.close();
    EXPECT_TRUE(is_found());
    write_bytes(file, sound);
  }
  EXPECT_FALSE(is_found());
}

}  // namespace
}  // namespace obliq
