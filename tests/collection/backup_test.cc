// Backups and checks of a collection beside its writer: a backup is a state that was acknowledged,
// whatever the writer does meanwhile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
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

namespace fs = std::filesystem;
using testing::ids_from;
using testing::random_vectors;
using testing::upsert;

constexpr std::size_t kDim = 8;
constexpr std::int64_t kBatch = 40;

class Backups : public ::testing::Test {
 protected:
  static CollectionOptions options(std::size_t train_at = 1000) {
    CollectionOptions options;
    options.dim = kDim;
    options.train_at = train_at;
    return options;
  }
  std::string path() const { return folder_.path() + "/c"; }
  std::string other() const { return folder_.path() + "/backup"; }
  static Collection reader(const std::string& path) {
    return Collection::open(path, {.read_only = true});
  }
  static std::string file(const std::string& path, const std::string& prefix) {
    for (const auto& entry : fs::directory_iterator(path)) {
      if (entry.path().filename().string().starts_with(prefix)) return entry.path();
    }
    ADD_FAILURE() << "no file " << prefix;
    return {};
  }

  // Change 2b + 1 adds batch b, change 2b + 2 removes the first half of it.
  static void change(Collection& collection, std::uint64_t number) {
    const auto batch = static_cast<std::int64_t>((number - 1) / 2);
    if (number % 2 == 1) return upsert(collection, batch * kBatch, kBatch, number);
    collection.remove(ids_from(batch * kBatch, kBatch / 2));
  }
  // Whether it holds what there was after so many changes, and no more.
  static void expect_state(const Collection& collection, std::uint64_t changes) {
    const auto batches = static_cast<std::int64_t>((changes + 1) / 2);
    const auto halves = static_cast<std::int64_t>(changes / 2);
    ASSERT_EQ(collection.count(),
              static_cast<std::size_t>(batches * kBatch - halves * (kBatch / 2)));
    for (std::int64_t id = 0; id < (batches + 1) * kBatch; ++id) {
      const bool removed = id % kBatch < kBatch / 2 && id / kBatch < halves;
      ASSERT_EQ(collection.contains(id), id < batches * kBatch && !removed) << id;
    }
  }

  TemporaryFolder folder_{testing::memory_folder()};
};

TEST_F(Backups, AreAStateThatWasAcknowledgedWhileAWriterCompactsAndTrains) {
  constexpr std::uint64_t kChanges = 200;
  Collection writer = Collection::create(path(), options(), {.durability = Durability::none});
  change(writer, 1);
  std::atomic<std::uint64_t> done = 1;
  std::thread changes([&] {
    for (std::uint64_t number = 2; number <= kChanges; ++number) {
      change(writer, number);
      done = number;
      if (number % 8 == 0) writer.compact();
    }
  });
  const Collection reads = reader(path());
  std::size_t backups = 0;
  while (done < kChanges || backups < 3) {
    const std::uint64_t before = done;
    reads.backup(other());
    const std::uint64_t after = done + 1;
    {
      Collection copy = Collection::open(other());
      const std::uint64_t state = copy.stats().changes;
      EXPECT_GE(state, before);
      EXPECT_LE(state, after);
      expect_state(copy, state);
      copy.verify();
      change(copy, state + 1);  // it is a collection of its own
    }
    fs::remove_all(other());
    ++backups;
  }
  changes.join();
  expect_state(writer, kChanges);
  writer.verify();
}

TEST_F(Backups, HoldSegmentsThatOnlyTheLogNames) {
  constexpr std::size_t kLarge = 65536;
  Collection writer = Collection::create(path(), options(10'000'000));
  writer.add(random_vectors(kLarge, kDim).view());
  writer.add(random_vectors(10, kDim).view());
  writer.backup(other());
  EXPECT_EQ(reader(other()).count(), kLarge + 10);
  EXPECT_NO_THROW(reader(other()).verify());
  const std::string segment = file(other(), "seg-");
  EXPECT_EQ(fs::hard_link_count(segment), 2U);
  fs::remove(segment);
  fs::copy_file(file(other(), "MANIFEST-"), segment);
  EXPECT_THROW(reader(other()).verify(), std::runtime_error);
}

TEST_F(Backups, AreCopiesWhereLinksCannotBe) {
  const TemporaryFolder elsewhere;
  Collection writer = Collection::create(path(), options());
  upsert(writer, 0, 1500);
  writer.wait();
  writer.backup(elsewhere / "b");
  EXPECT_EQ(reader(elsewhere / "b").count(), 1500U);
  reader(elsewhere / "b").verify();
}

TEST_F(Backups, LeaveATornEndOfTheLogOut) {
  {
    Collection writer = Collection::create(path(), options());
    upsert(writer, 0, 20);
  }
  const std::string log = file(path(), "log-");
  const auto whole = fs::file_size(log);
  std::ofstream(log, std::ios::binary | std::ios::app) << std::string(100, 'x');
  reader(path()).backup(other());
  EXPECT_EQ(fs::file_size(file(other(), "log-")), whole);
  EXPECT_EQ(reader(other()).count(), 20U);
  // What the backup has of the log must be whole.
  fs::resize_file(file(other(), "log-"), whole - 8);
  EXPECT_THROW(reader(other()), std::runtime_error);
}

TEST_F(Backups, LeaveNothingWhereTheyAreStoppedOrRefused) {
  Collection writer = Collection::create(path(), options());
  upsert(writer, 0, 20);
  EXPECT_THROW(writer.backup(other(), [](std::string_view, double) { return false; }), Cancelled);
  EXPECT_FALSE(fs::exists(other()));
  fs::create_directory(other());
  std::ofstream(other() + "/letter") << "dear";
  EXPECT_THROW(writer.backup(other()), std::invalid_argument);
  EXPECT_TRUE(fs::exists(other() + "/letter"));
  EXPECT_THROW(Collection::in_memory(options()).backup(folder_ / "m"), std::invalid_argument);
  EXPECT_FALSE(fs::exists(folder_ / "m"));
  fs::remove(file(path(), "log-"));
  EXPECT_THROW(writer.backup(folder_ / "d"), std::runtime_error);
  EXPECT_FALSE(fs::exists(folder_ / "d"));
}

TEST_F(Backups, AreRefusedWhereChangesAreMissingBetweenManifestAndLog) {
  Collection writer = Collection::create(path(), options());
  upsert(writer, 0, 20);
  writer.backup(other());
  upsert(writer, 20, 20);
  writer.compact();
  upsert(writer, 40, 20);
  const CollectionDirectory here(path());
  const std::uint64_t later = here.logs_from(0).back();
  fs::remove(file(other(), "log-"));
  EXPECT_THROW(reader(other()).verify(), std::runtime_error);
  fs::copy_file(here.log(later), CollectionDirectory(other()).log(later));
  try {
    reader(other()).verify();
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("others are missing"));
  }
}

TEST_F(Backups, ACheckTellsHowFarItIsAndEndsWhenItIsToldTo) {
  Collection writer = Collection::create(path(), options());
  upsert(writer, 0, 1500);
  writer.wait();
  upsert(writer, 1500, 10);
  std::vector<double> shares;
  const auto note = [&](std::string_view, double share) {
    shares.push_back(share);
    return true;
  };
  writer.verify({.bytes_per_second = 1e12, .progress = note});
  ASSERT_FALSE(shares.empty());
  EXPECT_TRUE(std::is_sorted(shares.begin(), shares.end()));
  EXPECT_EQ(shares.back(), 1.0);
  // At a byte per second it would take weeks.
  int calls = 0;
  const auto stop = [&](std::string_view, double) { return ++calls < 3; };
  for (const double rate : {1.0, 1e-300}) {
    calls = 0;
    EXPECT_THROW(writer.verify({.bytes_per_second = rate, .progress = stop}), Cancelled);
    EXPECT_EQ(calls, 3);
  }
  EXPECT_THROW(writer.verify({.bytes_per_second = -1}), std::invalid_argument);
}

// Not even where it had to begin again, since the files are others by then.
TEST_F(Backups, ACheckThatIsToldOnceToEndEnds) {
  Collection writer = Collection::create(path(), options());
  upsert(writer, 0, 100);
  int calls = 0;
  const auto stop = [&](std::string_view, double) {
    upsert(writer, 1000 + calls++, 1);
    writer.compact();
    return false;
  };
  EXPECT_THROW(writer.verify({.progress = stop}), Cancelled);
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace obliq
