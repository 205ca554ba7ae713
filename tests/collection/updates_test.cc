// New values of vectors that are there: the vectors stay as they are encoded, bit for bit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "obliq/collection.h"
#include "storage/temporary_folder.h"
#include "tests/collection/columns.h"
#include "tests/collection/memory_folder.h"
#include "tests/storage/files.h"

namespace obliq {
namespace {

using testing::expect_columns;
using ::testing::HasSubstr;
using testing::ids_from;
using testing::random_vectors;
using testing::test_schema;
using testing::values_for;
using testing::years;

constexpr std::size_t kDim = 12;
constexpr CollectionAccess kAlone = {.threads = 1};

struct Codes {
  std::string quantizer;
  RawTier raw;
  double spill;
  Metric metric;
};

void PrintTo(const Codes& codes, std::ostream* out) {
  *out << codes.quantizer << ' ' << to_string(codes.metric);
}

CollectionOptions options_of(const Codes& codes) {
  CollectionOptions options = testing::small_options(kDim);
  options.train_at = 100000;
  options.quantizer = codes.quantizer;
  options.raw = codes.raw;
  options.spill = codes.spill;
  options.metric = codes.metric;
  options.columns = test_schema();
  return options;
}

// Vectors of very different lengths, so that units of lists differ.
Matrix<float> uneven_vectors(std::size_t n, std::uint64_t seed) {
  Matrix<float> vectors = random_vectors(n, kDim, seed);
  Random random(seed + 1);
  for (std::size_t i = 0; i < n; ++i) {
    const float length = std::exp2(static_cast<float>(random.below(12)) - 6);
    for (std::size_t j = 0; j < kDim; ++j) vectors.values[i * kDim + j] *= length;
  }
  return vectors;
}

// Nothing is pruned: that would depend on where vectors lie.
SearchResult search(const Collection& collection) {
  SearchOptions options = {.k = 40, .threads = 1};
  options.nprobe = 100000;
  options.confidence = 1;
  return collection.search(random_vectors(30, kDim, 99).view(), options);
}

class UpdatedVectors : public ::testing::TestWithParam<Codes> {
 protected:
  std::string path() const { return folder_ / "c"; }
  // 2,000 vectors under a model, half of them in a file, the others in memory. Those that it was
  // trained on are replaced by themselves, so that nothing drifts.
  static void fill(Collection& collection, const Columns& values) {
    const Matrix<float> vectors = uneven_vectors(2000, 1);
    const auto ids = ids_from(0, 2000);
    collection.add(vectors.view());
    collection.train();
    for (const std::size_t first : {0, 1000}) {
      Columns half;
      for (const ColumnValues& column : values) half.push_back(column.slice(first, 1000));
      collection.upsert(vectors.view().slice(first, 1000), {ids.data() + first, 1000, 1}, half);
      if (first == 0) collection.compact();
    }
    collection.wait();  // for the tuning, which the index has, too
  }
  TemporaryFolder folder_{testing::memory_folder()};
};

INSTANTIATE_TEST_SUITE_P(Codes, UpdatedVectors,
                         ::testing::Values(Codes{"lm4", RawTier::none, .5, Metric::l2},
                                           Codes{"sq8", RawTier::fp16, .3, Metric::ip},
                                           Codes{"tq4", RawTier::none, .5, Metric::cosine},
                                           Codes{"lm4", RawTier::fp32, 0, Metric::l2}));

TEST_P(UpdatedVectors, AreFoundAsBefore) {
  const Columns values = values_for(test_schema(), 2000, 3);
  Collection collection = Collection::create(path(), options_of(GetParam()), kAlone);
  fill(collection, values);
  const SearchResult all = search(collection);
  std::vector<float> vectors(2000 * kDim);
  collection.get(ids_from(0, 2000), vectors.data());
  std::vector<std::int64_t> some;  // of both segments
  for (std::int64_t id = 0; id < 2000; id += 3) some.push_back(id);
  collection.update(some, values_for({test_schema()[0], test_schema()[5]}, some.size(), 4));
  const auto expect_same = [&](const Collection& now) {
    EXPECT_EQ(now.count(), 2000U);
    EXPECT_EQ(search(now).ids.values, all.ids.values);
    EXPECT_EQ(search(now).distances.values, all.distances.values);
    std::vector<float> again(2000 * kDim);
    now.get(ids_from(0, 2000), again.data());
    EXPECT_EQ(again, vectors);
  };
  expect_same(collection);
  expect_same(Collection::open(path(), {.read_only = true, .threads = 1}));  // from the log
  collection.compact();
  expect_same(collection);
  collection.verify();
}

// Also what a search does not tell: units, longest vectors, statistics.
TEST_P(UpdatedVectors, AreMergedIntoTheIndexOfValuesGivenAtFirst) {
  const Columns last = values_for(test_schema(), 2000, 3);
  Columns first = values_for(test_schema(), 2000, 4);
  std::vector<std::uint32_t> some;
  for (std::uint32_t id = 0; id < 2000; id += 3) some.push_back(id);
  Columns given;
  for (std::size_t c = 0; c < first.size(); ++c) {
    ColumnValues column(first[c].spec());
    for (std::uint32_t i = 0; i < 2000; ++i) {
      column.add_from(i % 3 == 0 && c < 4 ? first[c] : last[c], i);
    }
    first[c] = column;
    if (c < 4) given.push_back(last[c].take(some));
  }
  const auto file_of = [&](const std::string& name, const Columns& values, bool updates) {
    Collection collection = Collection::create(folder_ / name, options_of(GetParam()), kAlone);
    fill(collection, values);
    if (updates) collection.update(std::vector<std::int64_t>(some.begin(), some.end()), given);
    collection.export_index(folder_ / (name + ".obliq"));
    return read_bytes(folder_ / (name + ".obliq"));
  };
  EXPECT_TRUE(file_of("a", first, true) == file_of("b", last, false));
}

class CollectionUpdates : public ::testing::Test {
 protected:
  std::string path() const { return folder_ / "c"; }
  Collection create(IdType ids = IdType::int64) const {
    CollectionOptions options = options_of({"sq8", RawTier::none, 0, Metric::l2});
    options.ids = ids;
    return Collection::create(path(), options, kAlone);
  }
  static std::int64_t number_of_b(const Collection& collection) {
    std::int64_t number = -1;
    collection.for_each_key([&](std::int64_t id, std::string_view key) {
      if (key == "b") number = id;
    });
    return number;
  }
  template <typename Call>
  static std::string refusal(Call call) {
    try {
      call();
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "nothing was thrown";
  }
  TemporaryFolder folder_{testing::memory_folder()};
};

TEST_F(CollectionUpdates, ChangeTheColumnsThatAreNamedAlone) {
  const Columns values = values_for(test_schema(), 10, 1);
  {
    Collection collection = create();
    collection.add(random_vectors(10, kDim).view(), values);
    collection.update(std::vector<std::int64_t>{7, 2}, std::vector{years({70, 20})});
    const auto expect = [&](const Collection& now) {
      const Columns found = now.get_columns(std::vector<std::int64_t>{2, 7, 3});
      EXPECT_EQ(found[0].integer(0), 20);
      EXPECT_EQ(found[0].integer(1), 70);
      Columns others(values.begin() + 1, values.end());
      testing::expect_values({found.begin() + 1, found.end()}, others,
                             std::vector<std::uint32_t>{2, 7, 3});
    };
    expect(collection);
    expect(Collection::open(path(), {.read_only = true}));
  }
  Collection collection = Collection::open(path(), kAlone);
  ColumnValues null({"year", ColumnType::int64});
  null.add_null();
  collection.update(std::vector<std::int64_t>{7}, std::vector{null});
  EXPECT_TRUE(collection.get_columns(std::vector<std::int64_t>{7})[0].is_null(0));
  EXPECT_EQ(collection.get_columns(std::vector<std::int64_t>{2})[0].integer(0), 20);
}

TEST_F(CollectionUpdates, ThatAreRefusedChangeNothing) {
  Collection collection = create();
  collection.add(random_vectors(3, kDim).view(), std::vector{years({0, 1, 2})});
  collection.remove(std::vector<std::int64_t>{1});
  const auto update = [&](std::vector<std::int64_t> ids, const Columns& columns) {
    return refusal([&] { collection.update(ids, columns); });
  };
  EXPECT_THAT(update({0, 1}, {years({5, 5})}), HasSubstr("id 1 is not in the collection"));
  EXPECT_THAT(update({0, 9}, {years({5, 5})}), HasSubstr("id 9 is not in the collection"));
  EXPECT_THAT(update({0, 0}, {years({5, 5})}), HasSubstr("0"));
  EXPECT_THAT(update({-1}, {years({5})}), HasSubstr("-1"));
  EXPECT_THAT(update({0}, {years({5, 6})}), HasSubstr("'year' has 2 values for 1 vectors"));
  EXPECT_THAT(update({0}, {}), HasSubstr("no columns"));
  EXPECT_THAT(update({0}, {ColumnValues({"nix", ColumnType::int64})}), HasSubstr("'nix'"));
  EXPECT_THAT(update({0}, {ColumnValues({"year", ColumnType::bytes})}), HasSubstr("type int64"));
  EXPECT_THAT(refusal([&] {
                collection.update(std::vector<std::string_view>{"0"}, std::vector{years({5})});
              }),
              HasSubstr("numbers"));
  const std::uint64_t changes = collection.stats().changes;
  EXPECT_EQ(update({}, {years({})}), "nothing was thrown");
  EXPECT_EQ(collection.stats().changes, changes);
  EXPECT_EQ(collection.get_columns(std::vector<std::int64_t>{0})[0].integer(0), 0);
  Collection reader = Collection::open(path(), {.read_only = true});
  EXPECT_THAT(
      refusal([&] { reader.update(std::vector<std::int64_t>{0}, std::vector{years({5})}); }),
      HasSubstr("read only"));
  Collection empty = Collection::in_memory(collection.options());
  EXPECT_THAT(refusal([&] { empty.update(std::vector<std::int64_t>{0}, std::vector{years({5})}); }),
              HasSubstr("id 0"));
}

TEST_F(CollectionUpdates, OfKeysKeepTheirNumbers) {
  const std::vector<std::string_view> keys = {"a", "b", "c"};
  std::int64_t before = -1;
  {
    Collection collection = create(IdType::string);
    collection.add(random_vectors(3, kDim).view(), keys, std::vector{years({0, 1, 2})});
    before = number_of_b(collection);
    collection.update(std::vector<std::string_view>{"c", "b"}, std::vector{years({20, 10})});
    EXPECT_EQ(number_of_b(collection), before);
    EXPECT_THAT(
        refusal([&] {
          collection.update(std::vector<std::string_view>{"a", "d"}, std::vector{years({3, 4})});
        }),
        HasSubstr("id 'd' at position 1"));
    EXPECT_THAT(
        refusal([&] {
          collection.update(std::vector<std::string_view>{"a", "a"}, std::vector{years({3, 4})});
        }),
        HasSubstr("twice"));
    EXPECT_THAT(
        refusal([&] { collection.update(std::vector<std::int64_t>{0}, std::vector{years({5})}); }),
        HasSubstr("strings"));
  }
  Collection collection = Collection::open(path(), kAlone);
  EXPECT_EQ(number_of_b(collection), before);
  const Columns found = collection.get_columns(keys, std::vector<std::string>{"year"});
  EXPECT_EQ(found[0].integer(0), 0);
  EXPECT_EQ(found[0].integer(1), 10);
  EXPECT_EQ(found[0].integer(2), 20);
  EXPECT_EQ(collection.count(), 3U);
  collection.compact();
  EXPECT_EQ(collection.get_columns(keys)[0].integer(1), 10);
  collection.verify();
}

// The old row goes with a merge, which is committed with bitmaps that are newer than the log's
// place: the log alone has the new one.
TEST_F(CollectionUpdates, OutliveTheFileThatTheyCameFrom) {
  std::vector<float> vector(kDim);
  const std::vector<std::int64_t> ids = {3};
  {
    Collection collection = create();
    collection.add(random_vectors(600, kDim).view());
    collection.compact();
    collection.get(ids, vector.data());
    collection.add(random_vectors(1, kDim).view());
    collection.update(ids, std::vector{years({33})});
    collection.add_column({"later", ColumnType::int64});  // commits the bitmap, not the log
    collection.backup(folder_ / "killed");
  }
  Collection collection = Collection::open(folder_ / "killed", kAlone);
  EXPECT_EQ(collection.count(), 601U);
  EXPECT_EQ(collection.get_columns(ids)[0].integer(0), 33);
  std::vector<float> again(kDim);
  collection.get(ids, again.data());
  EXPECT_EQ(again, vector);
}

TEST_F(CollectionUpdates, OfManyVectorsBecomeAFile) {
  constexpr std::size_t kMany = 70000;
  ColumnValues year({"year", ColumnType::int64});
  ColumnValues open({"open", ColumnType::boolean});
  for (std::size_t i = 0; i < kMany; ++i) {
    year.add(static_cast<std::int64_t>(i));
    open.add(static_cast<std::int64_t>(i % 2));
  }
  {
    Collection collection = create();
    collection.add(random_vectors(kMany, kDim).view(), std::vector{open});
    collection.update(ids_from(0, kMany), std::vector{year});
    EXPECT_EQ(collection.stats().rows_in_memory, 0U);
    collection.backup(folder_ / "killed");
  }
  for (const std::string& place : {path(), folder_ / "killed"}) {
    const Collection collection = Collection::open(place, kAlone);
    EXPECT_EQ(collection.count(), kMany);
    expect_columns(collection, 0, {year, open});
  }
}

// As many as in this test would train it again if they counted as new vectors far from the sample.
TEST_F(CollectionUpdates, AreNoDriftAndDoNotOutdateTheTuning) {
  Collection collection = create();
  collection.add(random_vectors(2000, kDim).view());
  collection.train();
  const auto drift = collection.stats().drift;
  for (int i = 0; i < 3; ++i) {
    ColumnValues year({"year", ColumnType::int64});
    for (int j = 0; j < 1000; ++j) year.add(j);
    collection.update(ids_from(0, 1000), std::vector{year});
  }
  EXPECT_EQ(collection.stats().drift, drift);
  EXPECT_FALSE(collection.stats().is_tuning_outdated);
  EXPECT_EQ(collection.stats().since_open.updated, 3000U);
  collection.close();
  EXPECT_EQ(Collection::open(path()).stats().of_life.updated, 3000U);
}

}  // namespace
}  // namespace obliq
