// How changes reach the disk, how steps in the background are stopped, large adds, followers.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "collection/batch_record.h"
#include "collection/directory.h"
#include "collection/manifest.h"
#include "obliq/collection.h"
#include "storage/log_layout.h"
#include "storage/log_writer.h"
#include "storage/temporary_folder.h"
#include "tests/collection/memory_folder.h"
#include "tests/collection/vectors.h"

namespace obliq {
namespace {

using testing::ids_from;
using testing::random_vectors;
using testing::upsert;

constexpr std::size_t kDim = 4;
constexpr std::size_t kLarge = 65536;  // vectors that become a file at once

class CollectionsEngine : public ::testing::Test {
 protected:
  static CollectionOptions options() {
    CollectionOptions options;
    options.dim = kDim;
    options.train_at = 10'000'000;
    return options;
  }
  std::string path() const { return folder_.path() + "/c"; }
  // As if the process died now.
  std::string copy_now(const std::string& name) const {
    std::filesystem::copy(path(), folder_.path() + "/" + name);
    return folder_.path() + "/" + name;
  }
  std::size_t files(const std::string& kind) const {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(path())) {
      count += entry.path().filename().string().starts_with(kind) ? 1 : 0;
    }
    return count;
  }
  // Bytes of the newest log that its slots say are on the disk; 0: they say nothing yet.
  std::uint64_t synced_bytes() const {
    const CollectionDirectory directory(path());
    const Manifest manifest = read_manifest(directory, directory.newest_manifest());
    const std::string log = directory.log(directory.logs_from(manifest.info.first_log).back());
    std::vector<char> bytes(kLogHeadBytes);
    std::ifstream(log, std::ios::binary).read(bytes.data(), kLogHeadBytes);
    const LogHead head =
        check_log_head(log, std::as_bytes(std::span(bytes)), manifest.info.collection);
    return head.slots[head.newest()].bytes;
  }
  // Until it holds: the test hangs where it never does.
  template <typename Condition>
  static void await(Condition condition) {
    while (!condition()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  TemporaryFolder folder_{testing::memory_folder()};
};

TEST_F(CollectionsEngine, ThreadsThatAddAtOnceShareTheLog) {
  constexpr int kThreads = 8;
  constexpr int kEach = 40;
  Collection collection = Collection::create(path(), options());
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  std::atomic<int> missing = 0;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        const std::int64_t id = t * kEach + i;
        upsert(collection, id, 1);
        missing += collection.contains(id) ? 0 : 1;  // it is seen once the call returns
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(missing, 0);
  EXPECT_EQ(collection.stats().changes, kThreads * kEach);
  EXPECT_EQ(collection.stats().log_bytes, synced_bytes());
  EXPECT_EQ(Collection::open(copy_now("dead")).count(), kThreads * kEach);
}

TEST_F(CollectionsEngine, AnIntervalSyncsByItself) {
  CollectionAccess access;
  access.durability = Durability::interval;
  access.sync_interval = .001;
  Collection collection = Collection::create(path(), options(), access);
  for (int i = 0; i < 3; ++i) {
    upsert(collection, i, 1);
    await([&] { return synced_bytes() == collection.stats().log_bytes; });
  }
  access.sync_interval = 1e6;
  collection.close();
  Collection later = Collection::open(path(), access);
  upsert(later, 7, 1);
  EXPECT_LT(synced_bytes(), later.stats().log_bytes);
  later.close();  // with a sync to come
  EXPECT_EQ(Collection::open(path()).count(), 4U);
}

/// A compaction that takes no step until it is let go, so that the background takes none either.
class Halt {
 public:
  explicit Halt(Collection& collection) {
    upsert(collection, -100, 20);
    collection.compact();
    collection.remove(ids_from(-100, 1));  // too few for the background
    thread_ = std::thread([&] {
      collection.compact([&](std::string_view, double) {
        halted_ = true;
        while (!goes_on_) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        return true;
      });
    });
    while (!halted_) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ~Halt() {
    goes_on_ = true;
    thread_.join();
  }
  Halt(const Halt&) = delete;
  Halt& operator=(const Halt&) = delete;

 private:
  std::atomic<bool> halted_ = false;
  std::atomic<bool> goes_on_ = false;
  std::thread thread_;
};

// Beside 19 that were there before.
TEST_F(CollectionsEngine, ManyVectorsAreAFileBeforeTheyAreLogged) {
  constexpr std::size_t kCount = 19 + 5 + 2 * kLarge - 50;
  std::string dead;
  {
    Collection collection = Collection::create(path(), options());
    const Halt halt(collection);
    upsert(collection, 0, 10, 2);
    upsert(collection, 5, kLarge);  // takes the place of five
    EXPECT_EQ(collection.add(random_vectors(kLarge, kDim).view()), 5 + static_cast<int>(kLarge));
    upsert(collection, 6, 1, 3);
    collection.remove(ids_from(100, 50));
    EXPECT_LT(collection.stats().log_bytes, 100'000U);
    dead = copy_now("dead");
  }
  for (int i = 0; i < 2; ++i) {
    Collection again = Collection::open(dead);
    EXPECT_EQ(again.count(), kCount);
    std::vector<float> vector(kDim);
    again.get(ids_from(6, 1), vector.data());
    EXPECT_EQ(vector, random_vectors(1, kDim, 3).values);
    EXPECT_FALSE(again.contains(120));
    again.verify();
    if (i == 0) again.wait();
  }
  Collection living = Collection::open(path());
  living.compact();
  EXPECT_EQ(living.count(), kCount);
  EXPECT_EQ(files("seg-"), 1U);
}

TEST_F(CollectionsEngine, ALargeAddThatIsRefusedLeavesNothing) {
  Collection collection = Collection::create(path(), options());
  upsert(collection, static_cast<std::int64_t>(kLarge) - 1, 1, 5);
  const std::vector<std::int64_t> ids = ids_from(0, kLarge);
  const Matrix<float> vectors = random_vectors(kLarge, kDim);
  EXPECT_THROW(collection.add(vectors.view(), {ids.data(), ids.size(), 1}), std::invalid_argument);
  EXPECT_EQ(collection.count(), 1U);
  collection.compact();
  EXPECT_EQ(files("seg-"), 1U);
  collection.wait();
  EXPECT_EQ(Collection::open(copy_now("dead")).count(), 1U);
}

// Also where there are as many as before.
TEST_F(CollectionsEngine, WhatIsReplacedMakesItTuneAnew) {
  CollectionOptions small = options();
  small.train_at = 1000;
  Collection collection = Collection::in_memory(small);
  upsert(collection, 0, 3000);
  collection.wait();
  const auto tunings = [&] { return collection.stats().latencies["tune"].count(); };
  const std::uint64_t before = tunings();
  upsert(collection, 0, 500, 2);
  collection.wait();
  EXPECT_EQ(tunings(), before);
  upsert(collection, 1000, 500, 3);
  collection.wait();
  EXPECT_EQ(tunings(), before + 1);
  EXPECT_EQ(collection.stats().tuned_for, 3000U);
  EXPECT_FALSE(collection.stats().is_tuning_outdated);
}

TEST_F(CollectionsEngine, VectorsUnlikeTheSampleMakeItTrainAnew) {
  CollectionOptions small = options();
  small.train_at = 1000;
  Collection collection = Collection::in_memory(small);
  upsert(collection, 0, 3000);
  collection.wait();
  upsert(collection, 3000, 2000, 2);  // like them
  collection.wait();
  EXPECT_EQ(collection.stats().trained_for, 3000U);
  Matrix<float> far = random_vectors(2000, kDim, 3);
  for (float& x : far.values) x = 3 * x + 20;
  collection.add(far.view());
  collection.wait();
  EXPECT_EQ(collection.stats().trained_for, 7000U);
  EXPECT_LT(collection.stats().drift.value_or(0), .5);
}

// A rate that never lets a step end.
TEST_F(CollectionsEngine, ClosingStopsTheBackgroundAndLosesNothing) {
  CollectionAccess access;
  access.background_rate = 1e-3;
  Collection collection = Collection::create(path(), options(), access);
  for (int i = 0; i < 4; ++i) collection.add(random_vectors(kLarge, kDim).view());
  await([&] { return collection.stats().segments_in_memory == 0 && files("log-") == 1; });
  collection.close();
  Collection again = Collection::open(path());
  EXPECT_EQ(again.count(), 4 * kLarge);
  again.wait();
  EXPECT_LT(again.stats().segments, 4U);
  again.verify();
}

TEST_F(CollectionsEngine, ACallerStopsACompactionAndATraining) {
  Collection collection = Collection::create(path(), options());
  for (int i = 0; i < 3; ++i) {
    upsert(collection, std::int64_t{3000} * i, 2000, 1 + static_cast<std::uint64_t>(i));
    collection.sync();
  }
  const auto stop = [](std::string_view, double) { return false; };
  EXPECT_THROW(collection.train(stop), Cancelled);
  upsert(collection, 100000, 1500);
  EXPECT_THROW(collection.train(stop), Cancelled);
  EXPECT_EQ(collection.count(), 7500U);
  collection.remove(ids_from(0, 10));
  collection.compact();
  upsert(collection, 200000, 10);
  EXPECT_THROW(collection.compact(stop), Cancelled);
  EXPECT_EQ(collection.count(), 7500U);
  collection.compact();
  EXPECT_EQ(collection.stats().segments, 1U);
  EXPECT_EQ(collection.stats().deleted_rows, 0U);
}

TEST_F(CollectionsEngine, AnAddGivesUpAfterTheCallersTime) {
  CollectionAccess access;
  access.background_rate = 1e-3;
  access.wait_limit = .01;
  access.durability = Durability::none;
  Collection collection = Collection::create(path(), options(), access);
  const Matrix<float> vectors = random_vectors(kLarge, kDim);
  std::size_t added = 0;
  try {
    for (; added < 60; ++added) collection.add(vectors.view());
    FAIL() << "60 files that nobody merges";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code().value(), ETIMEDOUT);
  }
  EXPECT_GE(added, 32U);
  EXPECT_EQ(collection.count(), added * kLarge);
}

TEST_F(CollectionsEngine, AFollowerSeesChangesByItself) {
  Collection writer = Collection::create(path(), options());
  upsert(writer, 0, 5);
  CollectionAccess access;
  access.read_only = true;
  access.follow = .001;
  const Collection reader = Collection::open(path(), access);
  upsert(writer, 10, 5);
  await([&] { return reader.contains(14); });
  writer.remove(ids_from(0, 1));
  await([&] { return !reader.contains(0); });
  writer.compact();
  writer.add(random_vectors(kLarge, kDim).view());
  await([&] { return reader.count() == 9 + kLarge; });
  writer.train();
  await([&] { return !reader.stats().is_exact; });
  upsert(writer, 3, 1);
  await([&] { return reader.stats().changes == writer.stats().changes; });
  EXPECT_EQ(reader.stats().background_error, "");
}

TEST_F(CollectionsEngine, ARefreshReadsOnFromWhereItWas) {
  Collection writer = Collection::create(path(), options());
  upsert(writer, 0, 5);
  CollectionAccess access;
  access.read_only = true;
  Collection reader = Collection::open(path(), access);
  EXPECT_FALSE(reader.refresh());
  for (int i = 0; i < 20; ++i) {
    upsert(writer, std::int64_t{10} * i, 3);
    if (i % 7 == 3) writer.compact();
    if (i % 3 == 1) continue;
    EXPECT_TRUE(reader.refresh());
    EXPECT_EQ(reader.count(), writer.count());
    EXPECT_FALSE(reader.refresh());
  }
}

// It ends first, or finds the collection closed: the folder is another writer's by then.
TEST_F(CollectionsEngine, NoLargeAddWritesAfterClose) {
  const auto names = [&] {
    std::vector<std::string> all = CollectionDirectory(path()).names();
    std::sort(all.begin(), all.end());
    return all;
  };
  const Matrix<float> vectors = random_vectors(8 * kLarge, kDim);
  Collection collection = Collection::create(path(), options());
  std::atomic<bool> is_there = false;
  std::thread other([&] {
    try {
      collection.add(vectors.view());
      is_there = true;
    } catch (const std::invalid_argument&) {  // it is closed
    }
  });
  await([&] { return CollectionDirectory(path()).newest_manifest() == 2; });
  collection.close();
  const std::vector<std::string> before = names();
  other.join();
  EXPECT_EQ(names(), before);
  EXPECT_EQ(Collection::open(path()).count(), is_there ? vectors.rows : 0);
}

// Steps that wait for their rate keep no changes from the disk.
TEST_F(CollectionsEngine, AnIntervalSyncsBesideStepsOfOthersThatNeverEnd) {
  CollectionAccess slow;
  slow.background_rate = 1e-3;
  slow.durability = Durability::none;
  const Matrix<float> vectors = random_vectors(kLarge, kDim);
  std::vector<Collection> others;
  for (int i = 0; i < 8; ++i) {
    others.push_back(Collection::create(path() + std::to_string(i), options(), slow));
    for (int j = 0; j < 4; ++j) others.back().add(vectors.view());
  }
  CollectionAccess access;
  access.durability = Durability::interval;
  access.sync_interval = .001;
  Collection collection = Collection::create(path(), options(), access);
  upsert(collection, 0, 5);
  await([&] { return synced_bytes() > kLogHeadBytes; });
  EXPECT_EQ(collection.count(), 5U);
}

// As where the writer's next commit comes between a reader's look for it and that for the logs.
TEST_F(CollectionsEngine, ARefreshTakesNoOtherLogForTheOneItHasReadFrom) {
  Collection writer = Collection::create(path(), options(), {.durability = Durability::none});
  upsert(writer, 0, 5);
  CollectionAccess access;
  access.read_only = true;
  Collection reader = Collection::open(path(), access);
  const CollectionDirectory directory(path());
  const std::uint64_t number = directory.logs_from(0).back();
  const Manifest manifest = read_manifest(directory, directory.newest_manifest());
  LogWriter next = LogWriter::create(path(), CollectionDirectory::log_name(number + 100),
                                     manifest.info.collection, reader.stats().changes + 1);
  const std::vector<std::int64_t> ids = ids_from(0, 1000);
  next.append(static_cast<std::uint8_t>(ChangeKind::remove), std::as_bytes(std::span(ids)));
  std::filesystem::remove(directory.log(number));
  EXPECT_THROW(reader.refresh(), std::runtime_error);
}

TEST_F(CollectionsEngine, VectorsOfManyDimensionsAreAFileToo) {
  CollectionOptions wide = options();
  wide.dim = 65536;
  CollectionAccess access;
  access.durability = Durability::none;
  Collection collection = Collection::create(path(), wide, access);
  const Matrix<float> vectors(1100, wide.dim);  // 288 MB
  EXPECT_NO_THROW(collection.add(vectors.view()));
  EXPECT_EQ(collection.count(), vectors.rows);
  EXPECT_LT(collection.stats().of_life.logged_bytes, 1'000'000U);
}

}  // namespace
}  // namespace obliq
