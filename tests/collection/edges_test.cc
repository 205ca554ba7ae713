// What goes wrong between a step and what happens meanwhile: parts that vanish, commits that fail,
// ids at the end of their range, collections of which all is removed.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "collection/directory.h"
#include "obliq/collection.h"
#include "storage/temporary_folder.h"
#include "tests/collection/memory_folder.h"
#include "tests/collection/vectors.h"

namespace obliq {
namespace {

using testing::ids_from;
using testing::random_vectors;
using testing::upsert;

constexpr std::size_t kDim = 16;

class CollectionAtItsEdges : public ::testing::Test {
 protected:
  static CollectionOptions options() { return testing::small_options(kDim); }
  std::string path() const { return folder_.path() + "/c"; }
  std::string newest_manifest_but(std::uint64_t more) const {
    const CollectionDirectory directory(path());
    return directory.manifest(directory.newest_manifest() + more);
  }
  TemporaryFolder folder_{testing::memory_folder()};
};

TEST_F(CollectionAtItsEdges, WhatIsRemovedWhileAModelIsTrainedStaysRemoved) {
  Collection collection = Collection::create(path(), options());
  upsert(collection, 0, 20000);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(collection.remove(ids_from(0, 20000)), 20000U);
  upsert(collection, 50000, 1);
  collection.wait();
  EXPECT_EQ(collection.count(), 1U);
  EXPECT_FALSE(collection.contains(17));
}

TEST_F(CollectionAtItsEdges, ACommitThatFailsTakesNothingAlong) {
  {
    Collection collection = Collection::create(path(), options());
    upsert(collection, 0, 100);
    collection.compact();
    upsert(collection, 200, 50);
    const std::string next = newest_manifest_but(1);
    std::filesystem::create_directory(next);
    EXPECT_ANY_THROW(collection.compact());
    std::filesystem::remove(next);
    // More than a quarter of the file is deleted: it is merged alone.
    EXPECT_EQ(collection.remove(ids_from(0, 60)), 60U);
    collection.wait();
    EXPECT_EQ(collection.count(), 90U);
    EXPECT_EQ(collection.stats().deleted_rows, 0U);
  }
  const Collection collection = Collection::open(path(), {.read_only = true});
  EXPECT_EQ(collection.count(), 90U);
  EXPECT_TRUE(collection.contains(220));
}

TEST_F(CollectionAtItsEdges, AllMayBeRemoved) {
  for (const bool in_memory : {false, true}) {
    Collection collection =
        in_memory ? Collection::in_memory(options()) : Collection::create(path(), options());
    upsert(collection, 0, 100);
    collection.remove(ids_from(0, 100));
    EXPECT_NO_THROW(collection.compact());
    upsert(collection, 0, 2000);
    collection.wait();
    EXPECT_FALSE(collection.stats().is_exact);
    EXPECT_EQ(collection.remove(ids_from(0, 2000)), 2000U);
    EXPECT_NO_THROW(collection.wait());
    EXPECT_NO_THROW(collection.compact());
    EXPECT_EQ(collection.count(), 0U);
    EXPECT_THROW(collection.train(), std::invalid_argument);
    EXPECT_EQ(collection.search(random_vectors(1, kDim).view(), {.k = 1}).ids.values.front(), -1);
    upsert(collection, 0, 10);
    EXPECT_EQ(collection.count(), 10U);
    EXPECT_NO_THROW(collection.close());
  }
  EXPECT_EQ(Collection::open(path()).count(), 10U);
}

TEST_F(CollectionAtItsEdges, EqualVectorsAreTrainedOn) {
  Collection collection = Collection::create(path(), options());
  Matrix<float> vectors(1500, kDim);
  for (float& x : vectors.values) x = .25F;
  collection.add(vectors.view());
  EXPECT_NO_THROW(collection.wait());
  EXPECT_EQ(collection.count(), 1500U);
  Matrix<float> zeros(1500, kDim);
  Collection other = Collection::in_memory(options());
  other.add(zeros.view());
  EXPECT_NO_THROW(other.wait());
  EXPECT_EQ(other.count(), 1500U);
}

TEST_F(CollectionAtItsEdges, IdsEndWhereTheyEnd) {
  constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max();
  {
    Collection collection = Collection::create(path(), options());
    upsert(collection, kLast - 1, 2);
    EXPECT_TRUE(collection.contains(kLast));
    EXPECT_THROW(collection.add(random_vectors(1, kDim).view()), std::invalid_argument);
    collection.remove(ids_from(kLast, 1));
    EXPECT_THROW(collection.add(random_vectors(1, kDim).view()), std::invalid_argument);
    EXPECT_EQ(collection.count(), 1U);
    upsert(collection, std::numeric_limits<std::int64_t>::min(), 2);
  }
  Collection collection = Collection::open(path());
  EXPECT_THROW(collection.add(random_vectors(1, kDim).view()), std::invalid_argument);
  EXPECT_EQ(collection.count(), 3U);
}

TEST_F(CollectionAtItsEdges, ALogOfChangesToTheSameVectorsDoesNotGrowForEver) {
  Collection collection = Collection::create(path(), options(), {.durability = Durability::none});
  std::uint64_t most = 0;
  for (int i = 0; i < 1200; ++i) {
    upsert(collection, 0, 999);
    most = std::max(most, collection.stats().log_bytes);
  }
  collection.wait();
  EXPECT_LT(collection.stats().log_bytes, std::uint64_t{100} << 20) << most;
}

TEST_F(CollectionAtItsEdges, AChildDoesNotKeepTheLock) {
  Collection collection = Collection::create(path(), options());
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    char byte = 0;
    ::close(ends[1]);
    ::_exit(::read(ends[0], &byte, 1) == 0 ? 0 : 1);
  }
  collection.close();
  EXPECT_NO_THROW(Collection::open(path()));
  ::close(ends[0]);
  ::close(ends[1]);
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

// Only names of files are believed, and nothing is read elsewhere.
TEST_F(CollectionAtItsEdges, LinksAreNoFilesOfACollection) {
  {
    Collection collection = Collection::create(path(), options());
    upsert(collection, 0, 100);
    collection.compact();
    collection.remove(ids_from(0, 10));
    collection.compact();
    upsert(collection, 500, 20);
    collection.remove(ids_from(20, 3));
  }
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(path())) {
    if (entry.path().filename() != "LOCK") files.push_back(entry.path());
  }
  ASSERT_GE(files.size(), 4U);  // manifest, model, segment, log
  for (const std::filesystem::path& file : files) {
    const std::filesystem::path moved = folder_.path() + "/moved";
    std::filesystem::rename(file, moved);
    std::filesystem::create_symlink(moved, file);
    EXPECT_THROW(Collection::open(path()), std::runtime_error) << file;
    EXPECT_THROW(Collection::open(path(), {.read_only = true}), std::runtime_error) << file;
    std::filesystem::remove(file);
    std::filesystem::rename(moved, file);
  }
  EXPECT_EQ(Collection::open(path()).count(), 107U);
}

// The second has to wait for the first, or finds the collection closed: never a commit after that.
TEST_F(CollectionAtItsEdges, NobodyCommitsAfterClose) {
  for (int i = 0; i < 5; ++i) {
    const std::string place = path() + std::to_string(i);
    Collection collection = Collection::create(place, options());
    upsert(collection, 0, 900);
    std::thread other([&] {
      try {
        for (int j = 0; j < 1000; ++j) {
          upsert(collection, j, 10);
          collection.compact();
        }
      } catch (const Cancelled&) {              // while it compacts
      } catch (const std::invalid_argument&) {  // it is closed
      }
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    collection.close();
    const std::uint64_t version = CollectionDirectory(place).newest_manifest();
    other.join();
    EXPECT_EQ(CollectionDirectory(place).newest_manifest(), version);
    EXPECT_GE(Collection::open(place).count(), 900U);
  }
}

}  // namespace
}  // namespace obliq
