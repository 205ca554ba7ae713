// Tables of keys: what is found, and that damage is found or leads nowhere.
#include "collection/key_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <exception>
#include <filesystem>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "collection/key_hash.h"
#include "core/random.h"
#include "obliq/collection.h"
#include "tests/collection/keys.h"
#include "tests/collection/memory_folder.h"
#include "tests/storage/files.h"

namespace obliq {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kSeed = 77;

std::vector<std::string> random_keys(std::size_t n, std::uint64_t seed) {
  Random random(seed);
  std::set<std::string> keys;
  while (keys.size() < n) {
    std::string key(1 + random.below(30), 'a');
    for (char& c : key) c = static_cast<char>('a' + random.below(26));
    keys.insert(key);
  }
  return {keys.begin(), keys.end()};
}

KeySource source_of(const std::vector<std::string>& keys) {
  return [&keys](const std::function<void(std::string_view)>& take) {
    for (const std::string& key : keys) take(key);
  };
}

void write_table(const std::string& path, const std::vector<std::string>& keys) {
  SectionWriter writer(path);
  write_keys(writer, keys.size(), kSeed, source_of(keys));
  writer.commit();
}

void expect_all_found(const KeyTable& table, const std::vector<std::string>& keys) {
  ASSERT_EQ(table.n(), keys.size());
  for (std::uint32_t i = 0; i < keys.size(); ++i) {
    ASSERT_EQ(table.key(i), keys[i]);
    ASSERT_EQ(table.find(keys[i], hash_of_key(keys[i], kSeed)), i);
    const std::string absent = keys[i] + "?";
    ASSERT_EQ(table.find(absent, hash_of_key(absent, kSeed)), kNoRank);
    ASSERT_EQ(table.find(absent, hash_of_key(keys[i], kSeed)), kNoRank);  // as if hashes met
  }
}

class KeyTables : public ::testing::Test {
 protected:
  std::string path() const { return folder_.path() + "/keys"; }
  TemporaryFolder folder_{testing::memory_folder()};
};

TEST(KeyHash, IsSpreadAndDependsOnTheSeed) {
  std::set<std::uint32_t> hashes;
  std::vector<std::size_t> halves(64);
  for (std::size_t i = 0; i < 4096; ++i) {
    const std::uint32_t hash = hash_of_key("key" + std::to_string(i), 1);
    hashes.insert(hash);
    ++halves[hash >> 26];
  }
  EXPECT_GE(hashes.size(), 4090U);
  for (const std::size_t count : halves) EXPECT_NEAR(static_cast<double>(count), 64, 40);
  EXPECT_NE(hash_of_key("key", 1), hash_of_key("key", 2));
  EXPECT_NE(hash_of_key(std::string_view("a\0", 2), 1), hash_of_key("a", 1));
}

TEST_F(KeyTables, FindTheirKeysAndNoOthers) {
  for (const std::size_t n : {0, 1, 2, 3, 50, 3000}) {
    const std::vector<std::string> keys = random_keys(n, n);
    expect_all_found(*KeyTable::make(n, kSeed, source_of(keys)), keys);
    write_table(path(), keys);
    expect_all_found(*KeyTable::open(path(), n, kSeed), keys);
    EXPECT_NO_THROW(KeyTable::verify(path(), n, kSeed));
    EXPECT_THROW(KeyTable::open(path(), n + 1, kSeed), std::runtime_error);
    EXPECT_THROW(KeyTable::open(path(), n, kSeed + 1), std::runtime_error);
  }
}

TEST_F(KeyTables, TellEachBitThatFlips) {
  const std::vector<std::string> keys = random_keys(12, 3);
  write_table(path(), keys);
  const Bytes sound = read_bytes(path());
  for (std::size_t bit = 0; bit < 8 * sound.size(); ++bit) {
    Bytes bytes = sound;
    bytes[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    write_bytes(path(), bytes);
    EXPECT_THROW(KeyTable::verify(path(), keys.size(), kSeed), std::runtime_error) << bit;
  }
}

// Numbers of a table with right checksums: a look-up ends, in an error or an answer.
TEST_F(KeyTables, WithWrongNumbersLeadNowhere) {
  const std::vector<std::string> keys = random_keys(20, 4);
  write_table(path(), keys);
  std::vector<std::pair<std::string, Bytes>> sound;
  for (const char* name : {"offsets", "places", "bytes", "keys"}) {
    const SectionFile file(path());
    const auto bytes = file.section(name);
    sound.emplace_back(name, Bytes(bytes.begin(), bytes.end()));
  }
  Random random(5);
  std::size_t refused = 0;
  for (int round = 0; round < 4000; ++round) {
    auto sections = sound;
    for (std::size_t edit = 0; edit <= random.below(3); ++edit) {
      Bytes& bytes = sections[random.below(3)].second;
      std::uint64_t value = random.next() >> random.below(64);
      if (random.below(4) == 0) value = 0 - value;
      std::memcpy(bytes.data() + random.below(bytes.size() / 8) * 8, &value, sizeof value);
    }
    write_sections(path(), sections);
    const auto table = KeyTable::open(path(), keys.size(), kSeed);
    try {
      KeyTable::verify(path(), keys.size(), kSeed);
      for (std::uint32_t i = 0; i < table->n(); ++i) (void)table->key(i);  // other keys, sound
    } catch (const std::runtime_error&) {
      ++refused;
    }
    for (const std::string& key : keys) {
      try {
        const std::uint32_t rank = table->find(key, hash_of_key(key, kSeed));
        ASSERT_TRUE(rank == kNoRank || table->key(rank) == key);
      } catch (const std::runtime_error&) {  // it is told
      }
    }
  }
  EXPECT_GT(refused, 3900U);
}

// Each byte changed, each file cut, swapped or missing: found by opening or verify, or harmless.
class DamagedKeys : public KeyTables {
 protected:
  void SetUp() override {
    Collection collection = Collection::create(directory(), testing::keyed_options());
    testing::add_keys(collection, 0, 40);
    collection.compact();
    testing::upsert_keys(collection, 30, 20, 2);
    testing::remove_keys(collection, 3, 2);
    collection.close();
    for (const auto& entry : fs::directory_iterator(directory())) {
      if (entry.path().filename() != "LOCK") files_.push_back(entry.path());
    }
  }
  bool is_found() const {
    try {
      const Collection collection = Collection::open(directory(), {.read_only = true});
      collection.verify();
      EXPECT_EQ(testing::keys_of(collection).size(), 48U);
      return false;
    } catch (const std::exception&) {
      return true;
    }
  }
  std::string directory() const { return folder_.path() + "/c"; }
  std::vector<std::string> files_;
};

TEST_F(DamagedKeys, AreTold) {
  ASSERT_FALSE(is_found());
  std::size_t keys = 0;
  for (const std::string& file : files_) {
    const Bytes sound = read_bytes(file);
    const std::string name = fs::path(file).filename();
    keys += name.starts_with("keys-") ? 1 : 0;
    for (std::size_t at = 0; at < sound.size(); at += name.starts_with("keys-") ? 1 : 7) {
      Bytes bytes = sound;
      bytes[at] ^= static_cast<std::byte>(1U << at % 8);
      write_bytes(file, bytes);
      EXPECT_TRUE(is_found()) << file << ": byte " << at;
    }
    fs::remove(file);
    EXPECT_TRUE(is_found()) << file << " is missing";
    for (const std::string& other : files_) {
      if (other == file) continue;
      write_bytes(file, read_bytes(other));
      EXPECT_TRUE(is_found()) << file << ": swapped with " << other;
    }
    write_bytes(file, sound);
  }
  EXPECT_EQ(keys, 1U);
  EXPECT_FALSE(is_found());
}

// A merge would give them right checksums.
TEST_F(DamagedKeys, AreNotMerged) {
  for (const std::string& file : files_) {
    if (!fs::path(file).filename().string().starts_with("keys-")) continue;
    Bytes bytes = read_bytes(file);
    const std::string text = "key/7";
    const auto key = std::search(bytes.begin(), bytes.end(), text.begin(), text.end(),
                                 [](std::byte a, char b) { return static_cast<char>(a) == b; });
    ASSERT_NE(key, bytes.end());
    key[4] = std::byte{'8'};
    write_bytes(file, bytes);
  }
  Collection collection = Collection::open(directory());
  EXPECT_THROW(collection.compact(), std::runtime_error);
}

}  // namespace
}  // namespace obliq
