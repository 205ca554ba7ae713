// Each allocation of each call on a collection fails once: what throws has changed nothing, what is
// on the disk is what was there before, and the same call succeeds once there is memory again. What
// leaks on the way AddressSanitizer sees. Most of the thousands of allocations are left out, evenly
// by their logarithm; OBLIQ_EVERY_ALLOCATION=1 takes all.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/random.h"
#include "obliq/collection.h"
#include "storage/temporary_folder.h"
#include "tests/collection/memory_folder.h"
#include "tests/collection/vectors.h"
#include "tests/index/threads/failing_new.h"

namespace obliq {
namespace {

namespace fs = std::filesystem;
using testing::failing_allocation;
using testing::ids_from;

constexpr std::size_t kDim = 4;
constexpr CollectionAccess kAlone = {.durability = Durability::none, .threads = 1};

// Versions of a vector and of its value.
struct Versions {
  int vector = 0;
  std::int64_t value = 0;
};
using Map = std::map<std::int64_t, Versions>;
const ColumnSpec kVersion = {"version", ColumnType::int64};

float value_of(std::int64_t id, int version, std::size_t j) {
  auto state = static_cast<std::uint64_t>(id) * 1000 + static_cast<std::uint64_t>(version) * 10 + j;
  return static_cast<float>(splitmix64(state) % 2048) / 512 - 2;
}

Matrix<float> vectors_of(const std::vector<std::int64_t>& ids, int version) {
  Matrix<float> vectors(ids.size(), kDim);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    for (std::size_t j = 0; j < kDim; ++j) vectors.row(i)[j] = value_of(ids[i], version, j);
  }
  return vectors;
}

ColumnValues values_of(std::size_t n, std::int64_t version) {
  ColumnValues values(kVersion);
  for (std::size_t i = 0; i < n; ++i) values.add(version);
  return values;
}

// What a call does, and what of the collection's vectors.
struct Step {
  std::string name;
  std::function<void(Collection&)> call;
  std::function<void(Map&)> change = [](Map&) {};
};

void upsert(Collection& collection, std::int64_t first, std::size_t n, int version) {
  const std::vector<std::int64_t> ids = ids_from(first, n);
  collection.upsert(vectors_of(ids, version).view(), {ids.data(), n, 1},
                    std::vector{values_of(n, version)});
}

void put(Map& map, std::int64_t first, std::size_t n, int version) {
  for (const std::int64_t id : ids_from(first, n)) map[id] = {version, version};
}

class Allocations : public ::testing::TestWithParam<bool> {
 protected:
  // A segment with deleted rows, and a log behind it.
  void SetUp() override {
    if (!testing::allocations_can_fail) GTEST_SKIP() << "operator new is the sanitizer's";
    CollectionOptions options;
    options.dim = kDim;
    options.quantizer = "sq8";
    options.raw = RawTier::fp32;
    options.train_at = 100000;
    options.columns = {kVersion};
    Collection collection = Collection::create(original(), options, kAlone);
    upsert(collection, 0, 1020, 0);
    put(map_, 0, 1020, 0);
    collection.compact();
    if (GetParam()) collection.train();
    collection.remove(ids_from(7, 5));
    for (const std::int64_t id : ids_from(7, 5)) map_.erase(id);
    collection.compact();
    upsert(collection, 1015, 30, 1);
    put(map_, 1015, 30, 1);
    collection.remove(ids_from(40, 2));
    for (const std::int64_t id : ids_from(40, 2)) map_.erase(id);
  }
  ~Allocations() override { failing_allocation = 0; }

  void begin_anew() const {
    fs::remove_all(path());
    fs::copy(original(), path());
  }
  static ::testing::AssertionResult holds(const Collection& collection, const Map& map) {
    if (collection.count() != map.size()) {
      return ::testing::AssertionFailure() << collection.count() << " vectors, not " << map.size();
    }
    for (const auto& [id, versions] : map) {
      if (!collection.contains(id)) return ::testing::AssertionFailure() << "no id " << id;
      std::vector<float> vector(kDim);
      collection.get(std::span(&id, 1), vector.data());
      for (std::size_t j = 0; j < kDim; ++j) {
        if (std::abs(vector[j] - value_of(id, versions.vector, j)) < 1e-3F) continue;
        return ::testing::AssertionFailure() << "another vector of id " << id;
      }
      const Columns values = collection.get_columns(std::span(&id, 1));
      if (values.front().integer(0) != versions.value) {
        return ::testing::AssertionFailure() << "another value of id " << id;
      }
    }
    return ::testing::AssertionSuccess();
  }
  // Whether the call succeeded while allocation number `at` of it failed.
  template <typename Call>
  static bool succeeds(long at, const Call& call, bool& failed) {
    failing_allocation = at;
    bool succeeded = true;
    try {
      call();
    } catch (const std::exception&) {
      succeeded = false;
    }
    failed = failing_allocation.exchange(0) <= 0;
    return succeeded;
  }
  // A step in the background that failed meanwhile is told once.
  static void call_again(const Step& step, Collection& collection) {
    try {
      step.call(collection);
    } catch (const std::runtime_error&) {
      step.call(collection);
    }
  }
  // Returns whether there was such an allocation.
  bool fail(const Step& step, long at) const {
    begin_anew();
    Map map = map_;
    bool failed = false;
    {
      Collection collection = Collection::open(path(), kAlone);
      const bool succeeded = succeeds(
          at, [&] { step.call(collection); }, failed);
      EXPECT_TRUE(succeeded || failed);
      if (succeeded) step.change(map);
      EXPECT_TRUE(holds(collection, map)) << "succeeded: " << succeeded;
    }
    Collection again = Collection::open(path(), kAlone);
    EXPECT_TRUE(holds(again, map)) << "opened again";
    EXPECT_NO_THROW(again.verify());
    fs::remove_all(target());
    EXPECT_NO_THROW(call_again(step, again));
    fs::remove_all(target());
    return failed;
  }
  void fail_each(const Step& step) const {
    const bool all = std::getenv("OBLIQ_EVERY_ALLOCATION") != nullptr;
    long count = 0;
    for (long at = 1; fail(step, at); at += all ? 1 : 1 + at / 6) {
      ++count;
      ASSERT_FALSE(HasFailure()) << step.name << ", allocation " << at;
    }
    EXPECT_GT(count, 0) << step.name;
    RecordProperty(step.name, static_cast<int>(count));
  }
  std::string original() const { return folder_.path() + "/original"; }
  std::string path() const { return folder_.path() + "/c"; }
  std::string target() const { return folder_.path() + "/target"; }
  TemporaryFolder folder_{testing::memory_folder()};
  Map map_;
};

INSTANTIATE_TEST_SUITE_P(Model, Allocations, ::testing::Bool(),
                         [](const auto& trained) { return trained.param ? "trained" : "flat"; });

TEST_P(Allocations, OfChangesMayFail) {
  const std::vector<Step> steps = {
      {"add",
       [](Collection& collection) {
         const std::vector<std::int64_t> ids = ids_from(2000, 12);
         if (collection.contains(2000)) collection.remove(ids);
         collection.add(vectors_of(ids, 2).view(), {ids.data(), ids.size(), 1},
                        std::vector{values_of(ids.size(), 2)});
       },
       [](Map& map) { put(map, 2000, 12, 2); }},
      {"upsert", [](Collection& collection) { upsert(collection, 500, 600, 3); },
       [](Map& map) { put(map, 500, 600, 3); }},
      {"update",
       [](Collection& collection) {
         collection.update(ids_from(1010, 30), std::vector{values_of(30, 4)});
       },
       [](Map& map) {
         for (const std::int64_t id : ids_from(1010, 30)) map.at(id).value = 4;
       }},
      {"add_column",
       [](Collection& collection) {
         if (collection.options().columns.size() == 1) collection.add_column({"x", {}});
       }},
      {"remove", [](Collection& collection) { collection.remove(ids_from(100, 9)); },
       [](Map& map) {
         for (const std::int64_t id : ids_from(100, 9)) map.erase(id);
       }},
  };
  for (const Step& step : steps) fail_each(step);
}

TEST_P(Allocations, OfSearchesMayFail) {
  const Matrix<float> queries = vectors_of({3, 17}, 9);
  for (const Step& step : std::vector<Step>{
           {"search", [&](Collection& collection) { collection.search(queries.view()); }},
           {"get",
            [](Collection& collection) {
              const std::int64_t id = 1030;
              float vector[kDim];
              collection.get(std::span(&id, 1), vector);
            }},
           {"verify", [](Collection& collection) { collection.verify(); }}}) {
    fail_each(step);
  }
}

TEST_P(Allocations, OfMaintenanceMayFail) {
  for (const Step& step : std::vector<Step>{
           {"compact", [](Collection& collection) { collection.compact(); }},
           {"train", [](Collection& collection) { collection.train(); }},
           {"export", [&](Collection& collection) { collection.export_index(target()); }},
           {"backup", [&](Collection& collection) { collection.backup(target()); }}}) {
    fail_each(step);
  }
}

// Opening is a call of its own: there is no collection before.
TEST_P(Allocations, OfOpeningAndClosingMayFail) {
  for (const bool read_only : {false, true}) {
    CollectionAccess access = kAlone;
    access.read_only = read_only;
    begin_anew();
    long at = 1;
    for (bool failed = true; failed; at += 1 + at / 6) {
      const bool succeeded = succeeds(
          at, [&] { Collection::open(path(), access).close(); }, failed);
      ASSERT_TRUE(succeeded || failed);
      ASSERT_TRUE(holds(Collection::open(path(), access), map_)) << "allocation " << at;
    }
    EXPECT_GT(at, 50);
  }
}

TEST_P(Allocations, OfMakingOneMayFail) {
  CollectionOptions options;
  options.dim = kDim;
  options.columns = {kVersion};
  long at = 1;
  for (bool failed = true; failed; at += 1 + at / 6) {
    fs::remove_all(path());
    const auto make = [&] {
      Collection collection = Collection::create(path(), options, kAlone);
      upsert(collection, 0, 10, 0);
    };
    const bool succeeded = succeeds(at, make, failed);
    ASSERT_TRUE(succeeded || failed);
    Map map;
    if (succeeded) put(map, 0, 10, 0);
    Collection collection = [&] {
      try {
        return Collection::create(path(), options, kAlone);
      } catch (const std::invalid_argument&) {  // it is there
        return Collection::open(path(), kAlone);
      }
    }();
    ASSERT_TRUE(holds(collection, map)) << "allocation " << at;
  }
  EXPECT_GT(at, 50);
}

}  // namespace
}  // namespace obliq
