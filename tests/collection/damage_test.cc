// Damaged files of a collection: each byte changed, each file cut at any place, swapped or missing.
// All is found by opening or by verify(), or changes nothing. OBLIQ_EVERY_BIT=1 changes each bit.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include "core/random.h"
#include "obliq/collection.h"
#include "tests/collection/memory_folder.h"
#include "tests/storage/files.h"

namespace obliq {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kDim = 4;

class DamageOfCollections : public ::testing::Test {
 protected:
  // Two segments of a trained model, one with deleted rows, and a log with changes.
  void SetUp() override {
    CollectionOptions options;
    options.dim = kDim;
    options.train_at = 1000;
    Collection collection = Collection::create(path(), options, {.threads = 1});
    add(collection, 0, 1000);
    collection.train();
    const std::int64_t gone[] = {5, 700};
    collection.remove(gone);
    add(collection, 2000, 550);
    collection.close();
    Collection again = Collection::open(path(), {.threads = 1});
    add(again, 3000, 20);
    again.remove(std::span(gone, 1));
    const std::int64_t more[] = {2100, 1};
    again.remove(more);
    again.close();
    for (const auto& entry : fs::directory_iterator(path())) {
      if (entry.path().filename() != "LOCK") files_.push_back(entry.path());
    }
    count_ = Collection::open(path(), {.read_only = true}).count();
  }
  static void add(Collection& collection, std::int64_t first, std::size_t n) {
    Random random(static_cast<std::uint64_t>(first));
    Matrix<float> vectors(n, kDim);
    for (float& x : vectors.values) x = static_cast<float>(random.gaussian());
    Matrix<std::int64_t> ids(n, 1);
    std::iota(ids.values.begin(), ids.values.end(), first);
    collection.add(vectors.view(), ids.view());
  }
  // Whether opening or verifying tells of the damage.
  bool is_found() const {
    try {
      const Collection collection = Collection::open(path(), {.read_only = true});
      collection.verify();
      EXPECT_EQ(collection.count(), count_);
      return false;
    } catch (const std::exception&) {
      return true;
    }
  }
  void expect_found(const std::string& file, const Bytes& bytes, const std::string& what) const {
    write_bytes(file, bytes);
    EXPECT_TRUE(is_found()) << file << ": " << what;
  }
  std::string path() const { return folder_.path() + "/c"; }

  TemporaryFolder folder_{testing::memory_folder()};
  std::vector<std::string> files_;
  std::size_t count_ = 0;
};

TEST_F(DamageOfCollections, IsFoundInEachByte) {
  ASSERT_GE(files_.size(), 5U);  // manifest, model, segments, bitmap, log
  ASSERT_FALSE(is_found());
  const bool every_bit = std::getenv("OBLIQ_EVERY_BIT") != nullptr;
  Random random(3);
  for (const std::string& file : files_) {
    const Bytes sound = read_bytes(file);
    const std::size_t step = every_bit ? 1 : 1 + sound.size() / 600;
    for (std::size_t at = random.below(step); at < sound.size(); at += step) {
      for (unsigned bit = 0; bit < (every_bit ? 8U : 1U); ++bit) {
        const unsigned flipped = every_bit ? bit : static_cast<unsigned>(random.below(8));
        Bytes bytes = sound;
        bytes[at] ^= static_cast<std::byte>(1U << flipped);
        expect_found(file, bytes, "bit " + std::to_string(8 * at + flipped));
      }
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
