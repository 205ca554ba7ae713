// A small collection that has a file of each kind, for tests that damage them.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <exception>
#include <filesystem>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "core/random.h"
#include "obliq/collection.h"
#include "tests/collection/memory_folder.h"
#include "tests/storage/files.h"

namespace obliq {

class DamageOfCollections : public ::testing::Test {
 protected:
  static constexpr std::size_t kDim = 4;

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
    for (const auto& entry : std::filesystem::directory_iterator(path())) {
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

}  // namespace obliq
