// Collections whose ids are strings: what may be one, what is there after which changes.
#include "tests/collection/keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/random.h"
#include "obliq/collection.h"
#include "tests/collection/memory_folder.h"
#include "tests/storage/files.h"

namespace obliq {
namespace {

using testing::add_keys;
using ::testing::HasSubstr;
using testing::keyed_options;
using testing::keys_from;
using testing::keys_of;
using testing::random_vectors;
using testing::remove_keys;
using testing::upsert_keys;
using testing::views;

constexpr std::size_t kDim = testing::kKeyedDim;

template <typename Call>
std::string refusal_of(Call call) {
  try {
    call();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

class KeysTest : public ::testing::Test {
 protected:
  std::string path() const { return folder_.path() + "/c"; }
  TemporaryFolder folder_{testing::memory_folder()};
};

TEST_F(KeysTest, AreFoundAfterItIsOpenedAgain) {
  const Matrix<float> vectors = random_vectors(30, kDim);
  const std::vector<std::string> keys = keys_from(0, 30);
  {
    Collection collection = Collection::create(path(), keyed_options());
    EXPECT_FALSE(collection.contains("key/1"));
    EXPECT_EQ(collection.search_keys(vectors.view().slice(0, 1), {.k = 2}).keys.values,
              (std::vector<std::string>{"", ""}));
    collection.add(vectors.view(), views(keys));
    EXPECT_EQ(remove_keys(collection, 5, 1), 1U);
    EXPECT_EQ(remove_keys(collection, 5, 2), 1U);
  }
  for (int round = 0; round < 2; ++round) {
    Collection collection = Collection::open(path());
    EXPECT_EQ(collection.options().ids, IdType::string);
    EXPECT_EQ(collection.count(), 28U);
    EXPECT_FALSE(collection.contains("key/5"));
    EXPECT_TRUE(collection.contains("key/29"));
    EXPECT_FALSE(collection.contains("key/2x"));
    const KeyedSearchResult found = collection.search_keys(vectors.view(), {.k = 1});
    for (std::size_t i = 0; i < keys.size(); ++i) {
      EXPECT_TRUE(i == 5 || i == 6 || found.keys.values[i] == keys[i]) << i;
    }
    std::vector<float> vector(kDim);
    const std::string_view wanted = "key/17";
    collection.get(std::span(&wanted, 1), vector.data());
    for (std::size_t j = 0; j < kDim; ++j) EXPECT_NEAR(vector[j], vectors.row(17)[j], 1e-5);
    EXPECT_NO_THROW(collection.verify());
    if (round == 0) collection.compact();  // the second time from files
  }
}

TEST_F(KeysTest, MayBeAnyTextOfOneLine) {
  const std::vector<std::string> keys = {" ",
                                         "\xC3\xA4",                  // two bytes
                                         "\xE4\xBD\xA0\xE5\xA5\xBD",  // three
                                         "\xF0\x9F\xA6\x89",          // four
                                         "\xF4\x8F\xBF\xBF",          // the last
                                         "\xEF\xBF\xBD",
                                         std::string(4096, 'x'),
                                         std::string(4095, 'x')};
  Collection collection = Collection::create(path(), keyed_options());
  collection.add(random_vectors(keys.size(), kDim).view(), views(keys));
  collection.compact();
  for (const std::string& key : keys) EXPECT_TRUE(collection.contains(key)) << key;
  EXPECT_EQ(keys_of(collection), std::set<std::string>(keys.begin(), keys.end()));
}

TEST_F(KeysTest, ThatAreNoTextAreRefusedByPositionAndKey) {
  const Matrix<float> vectors = random_vectors(2, kDim);
  Collection collection = Collection::create(path(), keyed_options());
  const std::vector<std::string> wrong = {"",
                                          std::string(4097, 'x'),
                                          "a\nb",
                                          std::string("a\0b", 3),
                                          "\x7F",
                                          "\x80",
                                          "\xC3",
                                          "\xC0\xAF",
                                          "\xE0\x9F\xBF",
                                          "\xED\xA0\x80",
                                          "\xF0\x8F\xBF\xBF",
                                          "\xF4\x90\x80\x80",
                                          "\xFF",
                                          "a\xE4\xBD"};
  for (const std::string& key : wrong) {
    const std::vector<std::string> keys = {"fine", key};
    EXPECT_THAT(refusal_of([&] { collection.add(vectors.view(), views(keys)); }),
                HasSubstr("at position 1"));
  }
  const std::vector<std::string> twice = {"same", "same"};
  EXPECT_THAT(refusal_of([&] { collection.upsert(vectors.view(), views(twice)); }),
              HasSubstr("id 'same' comes twice, at positions 0 and 1"));
  EXPECT_THAT(refusal_of([&] { collection.add(vectors.view(), views(keys_from(0, 3))); }),
              HasSubstr("3 ids for 2 vectors"));
  EXPECT_EQ(collection.count(), 0U);
  add_keys(collection, 0, 1);
  EXPECT_THAT(refusal_of([&] { add_keys(collection, 0, 1); }),
              HasSubstr("id 'key/0' at position 0 is there already: use upsert"));
  const std::string_view absent = "absent";
  EXPECT_THAT(refusal_of([&] { collection.get(std::span(&absent, 1), nullptr); }),
              HasSubstr("'absent' at position 0 is not in the collection"));
}

TEST_F(KeysTest, TakeNoNumbersAndNumbersTakeNoKeys) {
  const Matrix<float> vectors = random_vectors(1, kDim);
  const std::int64_t id = 0;
  std::vector<float> out(kDim);
  Collection keyed = Collection::in_memory(keyed_options());
  add_keys(keyed, 0, 1);
  for (const auto& call : std::vector<std::function<void()>>{
           [&] { keyed.add(vectors.view()); },
           [&] {
             keyed.add(vectors.view(), {&id, 1, 1});
           },
           [&] {
             keyed.upsert(vectors.view(), {&id, 1, 1});
           },
           [&] { keyed.remove(std::span(&id, 1)); },
           [&] { (void)keyed.contains(id); },
           [&] { keyed.get(std::span(&id, 1), out.data()); },
           [&] { (void)keyed.search(vectors.view()); },
           [&] { keyed.import_index(path()); },
       }) {
    EXPECT_THAT(refusal_of(call), HasSubstr("are strings"));
  }
  EXPECT_EQ(keyed.count(), 1U);
  Collection numbered = Collection::in_memory(keyed_options(IdType::int64));
  for (const auto& call : std::vector<std::function<void()>>{
           [&] { add_keys(numbered, 0, 1); },
           [&] { upsert_keys(numbered, 0, 1); },
           [&] { remove_keys(numbered, 0, 1); },
           [&] { (void)numbered.contains("key/0"); },
           [&] { numbered.get(views(keys_from(0, 1)), out.data()); },
           [&] { (void)numbered.search_keys(vectors.view()); },
           [&] { keys_of(numbered); },
       }) {
    EXPECT_THAT(refusal_of(call), HasSubstr("are numbers"));
  }
}

TEST_F(KeysTest, OfAnExportAreToldByNumber) {
  Collection collection = Collection::create(path(), keyed_options());
  add_keys(collection, 0, 100);
  remove_keys(collection, 0, 50);
  upsert_keys(collection, 90, 20, 2);
  collection.export_index(folder_.path() + "/x");
  const Index index = Index::open(folder_.path() + "/x");
  std::size_t count = 0;
  std::vector<float> exported(kDim), vector(kDim);
  collection.for_each_key([&](std::int64_t number, std::string_view key) {
    ++count;
    index.reconstruct(number, exported.data());
    collection.get(std::span(&key, 1), vector.data());
    EXPECT_EQ(exported, vector) << key;
  });
  EXPECT_EQ(count, 60U);
  EXPECT_EQ(index.stats().n, 60U);
}

// As if the process died now: what was copied is opened.
TEST_F(KeysTest, AreThereWhenTheWriterDies) {
  Collection collection = Collection::create(path(), keyed_options());
  std::set<std::string> there;
  for (std::size_t i = 0; i < 12; ++i) {
    upsert_keys(collection, 150 * i, 300, i);
    for (const std::string& key : keys_from(150 * i, 300)) there.insert(key);
    remove_keys(collection, 150 * i + 10, 20);
    for (const std::string& key : keys_from(150 * i + 10, 20)) there.erase(key);
    collection.wait();  // copies are of files that stay as they are
    const std::string copy = folder_.path() + "/copy" + std::to_string(i);
    std::filesystem::copy(path(), copy);
    Collection again = Collection::open(copy);
    ASSERT_EQ(keys_of(again), there) << i;
    EXPECT_NO_THROW(again.verify());
  }
  EXPECT_FALSE(collection.stats().is_exact);
}

TEST_F(KeysTest, ReachReadersBackupsAndTheNextModel) {
  Collection collection = Collection::create(path(), keyed_options());
  add_keys(collection, 0, 1500);
  collection.wait();
  Collection reader = Collection::open(path(), {.read_only = true});
  EXPECT_TRUE(reader.contains("key/1499"));
  upsert_keys(collection, 1400, 200, 3);
  EXPECT_TRUE(reader.refresh());
  EXPECT_EQ(reader.count(), 1600U);
  EXPECT_TRUE(reader.contains("key/1599"));
  collection.backup(folder_.path() + "/copy");
  collection.train();
  EXPECT_TRUE(reader.refresh());
  EXPECT_EQ(keys_of(reader), keys_of(collection));
  Collection copy = Collection::open(folder_.path() + "/copy");
  EXPECT_EQ(keys_of(copy), keys_of(collection));
  EXPECT_NO_THROW(copy.verify());
}

// More than the rows that become a file at once, while others add and remove the same keys.
TEST_F(KeysTest, OfManyVectorsAtOnceMeetThoseThatCameMeanwhile) {
  constexpr std::size_t kLarge = 65536;
  CollectionOptions options = keyed_options();
  options.train_at = 10'000'000;
  Collection collection = Collection::create(path(), options, {.durability = Durability::none});
  upsert_keys(collection, kLarge - 10, 20);
  EXPECT_THAT(refusal_of([&] { add_keys(collection, 0, kLarge); }), HasSubstr("is there already"));
  std::atomic<bool> ends = false;
  std::thread other([&] {
    for (std::size_t i = 0; !ends; i = (i + 7) % 1000) {
      upsert_keys(collection, 100 * (i % 600), 5, i);
      remove_keys(collection, 100 * (i % 600), 2);
    }
  });
  upsert_keys(collection, 0, kLarge, 4);
  ends = true;
  other.join();
  upsert_keys(collection, 0, kLarge, 5);
  remove_keys(collection, 3, 1);
  for (int round = 0; round < 3; ++round) {
    const std::set<std::string> keys = keys_of(collection);
    EXPECT_EQ(keys.size(), kLarge + 9);
    EXPECT_FALSE(collection.contains("key/3"));
    EXPECT_TRUE(collection.contains("key/65545"));
    if (round == 0) {
      std::filesystem::copy(path(), folder_.path() + "/copy");
      Collection copy = Collection::open(folder_.path() + "/copy");
      EXPECT_EQ(keys_of(copy), keys);
      EXPECT_NO_THROW(copy.verify());
    }
    collection.compact();
  }
}

// Keys that are replaced, removed and added again while files are merged: none comes back.
TEST_F(KeysTest, AreNeitherLostNorRaisedByACompaction) {
  Collection collection =
      Collection::create(path(), keyed_options(), {.durability = Durability::none});
  add_keys(collection, 0, 2000);
  collection.wait();
  std::atomic<bool> ends = false;
  std::thread compactor([&] {
    while (!ends) collection.compact();
  });
  Random random(3);
  std::set<std::string> there;
  for (const std::string& key : keys_from(0, 2000)) there.insert(key);
  for (int i = 0; i < 300; ++i) {
    const std::size_t first = random.below(2100);
    if (random.below(2) == 0) {
      upsert_keys(collection, first, 10, static_cast<std::uint64_t>(i));
      for (const std::string& key : keys_from(first, 10)) there.insert(key);
    } else {
      remove_keys(collection, first, 12);
      for (const std::string& key : keys_from(first, 12)) there.erase(key);
    }
    ASSERT_EQ(collection.contains(keys_from(first + 5, 1).front()),
              there.contains(keys_from(first + 5, 1).front()));
  }
  ends = true;
  compactor.join();
  EXPECT_EQ(keys_of(collection), there);
  collection.close();
  EXPECT_EQ(keys_of(Collection::open(path(), {.read_only = true})), there);
}

// What happens to keys while a step is at work, between two calls of its progress.
TEST_F(KeysTest, ChangeWhileAModelIsTrained) {
  Collection collection =
      Collection::create(path(), keyed_options(), {.durability = Durability::none});
  add_keys(collection, 0, 2000);
  collection.wait();
  std::size_t calls = 0;
  collection.train([&](std::string_view, double) {
    const std::size_t first = 37 * calls++ % 1900;
    remove_keys(collection, first, 20);
    upsert_keys(collection, first + 10, 60, calls);
    remove_keys(collection, first + 30, 10);
    add_keys(collection, first + 30, 10, calls);
    add_keys(collection, first, 10, calls);
    return true;
  });
  EXPECT_GT(calls, 10U);
  EXPECT_EQ(keys_of(collection).size(), 2000U);
  EXPECT_EQ(collection.count(), 2000U);
  collection.compact();
  EXPECT_EQ(keys_of(collection).size(), 2000U);
  EXPECT_NO_THROW(collection.verify());
  collection.close();
  EXPECT_EQ(keys_of(Collection::open(path())).size(), 2000U);
}

TEST_F(KeysTest, MayAllBeRemovedWhileAModelIsTrained) {
  Collection collection =
      Collection::create(path(), keyed_options(), {.durability = Durability::none});
  add_keys(collection, 0, 2000);
  collection.wait();
  for (const bool trains : {true, false}) {
    const Progress remove_all = [&](std::string_view, double) {
      remove_keys(collection, 0, 3000);
      return true;
    };
    if (trains) {
      collection.train(remove_all);
    } else {
      upsert_keys(collection, 0, 10);
      collection.sync();
      upsert_keys(collection, 5, 10);
      collection.compact(remove_all);
    }
    collection.wait();
    EXPECT_EQ(collection.count(), 0U);
    EXPECT_EQ(keys_of(collection).size(), 0U);
    upsert_keys(collection, 0, 2000);
    collection.compact();
    EXPECT_EQ(keys_of(collection).size(), 2000U);
    EXPECT_NO_THROW(collection.verify());
  }
  collection.close();
  EXPECT_EQ(keys_of(Collection::open(path())).size(), 2000U);
}

}  // namespace
}  // namespace obliq
