// A collection whose ids are strings, beside a map of the same vectors.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/random.h"
#include "obliq/collection.h"
#include "storage/temporary_folder.h"
#include "tests/collection/keys.h"
#include "tests/collection/memory_folder.h"

namespace obliq {
namespace {

using testing::keyed_options;
using testing::keys_of;
using testing::random_vectors;
using testing::views;

constexpr std::size_t kDim = testing::kKeyedDim;

// Any changes in any order, against a map.
class KeyModelTest : public ::testing::Test {
 protected:
  void open_anew() {
    collection_.reset();
    collection_ =
        std::make_unique<Collection>(Collection::open(path(), {.durability = Durability::none}));
  }
  std::vector<std::string> some_keys() {
    std::set<std::string> keys;
    const std::size_t n = 1 + random_.below(8);
    while (keys.size() < n) {
      const std::string number = std::to_string(random_.below(3000));
      keys.insert(std::string(random_.below(2) * number.size(), '~') + number);
    }
    return {keys.begin(), keys.end()};
  }
  void upsert() {
    const std::vector<std::string> keys = some_keys();
    const Matrix<float> vectors = random_vectors(keys.size(), kDim, random_.next());
    const bool is_new =
        std::none_of(keys.begin(), keys.end(), [&](const auto& key) { return map_.contains(key); });
    is_new ? collection_->add(vectors.view(), views(keys))
           : collection_->upsert(vectors.view(), views(keys));
    for (std::size_t i = 0; i < keys.size(); ++i) {
      map_[keys[i]] = {vectors.row(i), vectors.row(i) + kDim};
    }
  }
  void remove() {
    const std::vector<std::string> keys = some_keys();
    std::size_t removed = 0;
    for (const std::string& key : keys) removed += map_.erase(key);
    ASSERT_EQ(collection_->remove(views(keys)), removed);
  }
  // A vector finds itself, exactly before a model is trained, and as itself in any case.
  void search() {
    if (map_.empty()) return;
    auto place = map_.lower_bound(some_keys().front());
    if (place == map_.end()) place = map_.begin();
    const KeyedSearchResult found = collection_->search_keys(
        {place->second.data(), 1, kDim}, {.k = 3, .nprobe = 100000, .confidence = 1});
    for (const std::string& key : found.keys.values) {
      ASSERT_TRUE(key.empty() || map_.contains(key)) << key;
    }
    ASSERT_EQ(found.keys.values.front(), place->first);
    std::vector<float> vector(kDim);
    const std::string_view key = place->first;
    collection_->get(std::span(&key, 1), vector.data());
    for (std::size_t j = 0; j < kDim; ++j) ASSERT_NEAR(vector[j], place->second[j], .05);
  }
  void step() {
    const std::uint64_t kind = random_.below(100);
    if (kind < 60) {
      upsert();
    } else if (kind < 85) {
      remove();
    } else if (kind < 98) {
      search();
    } else if (kind < 99) {
      collection_->compact();
    } else {
      open_anew();
    }
    ASSERT_EQ(collection_->count(), map_.size());
    for (const std::string& key : some_keys()) {
      ASSERT_EQ(collection_->contains(key), map_.contains(key)) << key;
    }
  }

  std::string path() const { return folder_.path() + "/c"; }

  TemporaryFolder folder_{testing::memory_folder()};
  static constexpr std::uint64_t kSeed = 11;
  Random random_{kSeed};
  std::map<std::string, std::vector<float>> map_;
  std::unique_ptr<Collection> collection_;
};

TEST_F(KeyModelTest, IsWhatAMapIs) {
  Collection::create(path(), keyed_options());
  open_anew();
  for (int i = 0; i < 3000; ++i) {
    step();
    ASSERT_FALSE(HasFatalFailure()) << "seed " << kSeed << ", step " << i;
  }
  collection_->train();
  collection_->wait();
  EXPECT_FALSE(collection_->stats().is_exact);
  EXPECT_EQ(keys_of(*collection_).size(), map_.size());
  EXPECT_NO_THROW(collection_->verify());
}

}  // namespace
}  // namespace obliq
