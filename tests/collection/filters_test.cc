// Filters, range searches and iterators of collections: while vectors change, with ids that are
// strings, before a model is trained and after.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "obliq/collection.h"
#include "tests/collection/vectors.h"

namespace obliq {
namespace {

using ::testing::HasSubstr;
using testing::ids_from;
using testing::random_vectors;
using testing::small_options;
using ::testing::ThrowsMessage;

constexpr std::size_t kN = 1500;

ColumnValues parity(std::size_t n, std::int64_t first = 0) {
  ColumnValues values(ColumnSpec{"odd", ColumnType::boolean});
  for (std::size_t i = 0; i < n; ++i) {
    values.add((first + static_cast<std::int64_t>(i)) % 2);
  }
  return values;
}

CollectionOptions options_with_column() {
  CollectionOptions options = small_options(16);
  options.columns = {{"odd", ColumnType::boolean}};
  return options;
}

std::set<std::int64_t> ids_of(const SearchResult& result) {
  std::set<std::int64_t> ids(result.ids.values.begin(), result.ids.values.end());
  ids.erase(-1);
  return ids;
}

// One filter through adds, removals, updates, training and compaction: it is evaluated anew for
// what has changed.
TEST(CollectionFilters, FollowTheChangesOfACollection) {
  Collection collection = Collection::in_memory(options_with_column());
  const Matrix<float> vectors = random_vectors(2 * kN, 16, 1);
  const Filter odd = Filter::where("odd");
  EXPECT_EQ(collection.count(odd), 0U);
  SearchOptions options;
  options.filter = odd;
  options.k = 4 * kN;
  const auto expect_odd = [&](std::size_t count) {
    EXPECT_EQ(collection.count(odd), count);
    const auto ids = ids_of(collection.search(vectors.view().slice(0, 1), options));
    EXPECT_EQ(ids.size(), count);
    for (const std::int64_t id : ids) ASSERT_EQ(id % 2, 1) << id;
  };
  expect_odd(0);
  ColumnValues first = parity(kN);
  collection.add(vectors.view().slice(0, kN), {&first, 1});
  expect_odd(kN / 2);
  ColumnValues second = parity(kN);
  collection.add(vectors.view().slice(kN, kN), {&second, 1});
  expect_odd(kN);
  collection.train();
  expect_odd(kN);
  const std::vector<std::int64_t> gone = {1, 2, 3};
  collection.remove(gone);
  expect_odd(kN - 2);
  ColumnValues even(ColumnSpec{"odd", ColumnType::boolean});
  even.add(0);
  even.add_null();
  const std::vector<std::int64_t> changed = {5, 7};
  collection.update(changed, {&even, 1});
  expect_odd(kN - 4);
  collection.compact();
  expect_odd(kN - 4);
}

TEST(CollectionFilters, ReturnColumnsWithAnswers) {
  Collection collection = Collection::in_memory(options_with_column());
  const std::vector<std::string> names = {"odd"};
  SearchOptions options;
  options.columns = names;
  const Matrix<float> vectors = random_vectors(kN, 16, 2);
  EXPECT_EQ(collection.search(vectors.view().slice(0, 2), options).columns[0].size(), 20U);
  const ColumnValues odd = parity(kN);
  collection.add(vectors.view(), {&odd, 1});
  for (const bool trained : {false, true}) {
    if (trained) collection.train();
    const SearchResult found = collection.search(vectors.view().slice(0, 5), options);
    for (std::size_t i = 0; i < found.ids.values.size(); ++i) {
      ASSERT_EQ(found.columns[0].integer(i), found.ids.values[i] % 2);
    }
  }
  const std::vector<std::string> other = {"even"};
  options.columns = other;
  EXPECT_THROW((void)collection.search(vectors.view(), options), std::invalid_argument);
}

TEST(CollectionFilters, TakeKeysWhereIdsAreStrings) {
  CollectionOptions made = small_options(16);
  made.ids = IdType::string;
  Collection collection = Collection::in_memory(made);
  const Matrix<float> vectors = random_vectors(kN, 16, 3);
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < kN; ++i) keys.push_back("key " + std::to_string(i));
  const std::vector<std::string_view> views(keys.begin(), keys.end());
  collection.add(vectors.view(), views);
  const std::vector<std::string_view> some = {"key 7", "key 9", "absent", "key 9"};
  for (const bool trained : {false, true}) {
    if (trained) collection.train();
    EXPECT_EQ(collection.count(Filter::allow_keys(some)), 2U);
    EXPECT_EQ(collection.count(Filter::deny_keys(some)), kN - 2);
    SearchOptions options;
    options.filter = Filter::allow_keys(some);
    const KeyedSearchResult found = collection.search_keys(vectors.view().slice(9, 1), options);
    EXPECT_EQ(found.keys.values[0], "key 9");
    EXPECT_EQ(found.keys.values[1], "key 7");
    EXPECT_EQ(found.keys.values[2], "");
    RangeSearchOptions range;
    range.filter = options.filter;
    const auto near = collection.range_search_keys(vectors.view().slice(7, 1), 1e9F, range);
    EXPECT_THAT(near.keys, ::testing::ElementsAre("key 7", "key 9"));
  }
  EXPECT_THROW((void)collection.count(Filter::callback([](std::int64_t) { return true; })),
               std::invalid_argument);
  const std::vector<std::int64_t> numbers = {1, 2};
  EXPECT_THROW((void)collection.count(Filter::allow(numbers)), std::invalid_argument);
  EXPECT_THROW((void)collection.count(Filter::deny(numbers)), std::invalid_argument);
  EXPECT_EQ(collection.count(Filter::allow({})), 0U);
}

TEST(CollectionFilters, TakeKeysOnceAllVectorsAreGone) {
  CollectionOptions made = small_options(16);
  made.ids = IdType::string;
  Collection collection = Collection::in_memory(made);
  const Matrix<float> vectors = random_vectors(2, 16, 3);
  const std::vector<std::string_view> keys = {"a", "b"};
  collection.add(vectors.view(), keys);
  collection.remove(keys);
  collection.compact();
  EXPECT_EQ(collection.count(Filter::allow_keys(keys)), 0U);
  SearchOptions options;
  options.filter = Filter::deny_keys(keys);
  EXPECT_EQ(collection.search_keys(vectors.view().slice(0, 1), options).keys.values[0], "");
}

TEST(CollectionFilters, AreCheckedBeforeThereIsAVector) {
  CollectionOptions options;
  options.dim = 2;
  options.columns = {{"year", ColumnType::int64}};
  const Collection collection = Collection::in_memory(options);
  const Matrix<float> query(1, 2);
  const auto no_column = ThrowsMessage<std::invalid_argument>(HasSubstr("no column 'yaer'"));
  const Filter wrong = Filter::where("yaer = 1");
  const std::vector<Filter> nested = {Filter::where("year = 1"), wrong};
  SearchOptions search;
  search.filter = Filter::all_of(nested);
  RangeSearchOptions range;
  range.filter = wrong;
  EXPECT_THAT([&] { (void)collection.search(query.view(), search); }, no_column);
  EXPECT_THAT([&] { (void)collection.range_search(query.view(), 1, range); }, no_column);
  EXPECT_THAT([&] { (void)collection.search_iterator(query.view(), search); }, no_column);
  EXPECT_THAT([&] { (void)collection.count(wrong); }, no_column);
  search.filter = nested[0];
  EXPECT_EQ(collection.search(query.view(), search).ids.row(0)[0], -1);
  EXPECT_THROW((void)collection.range_search(query.view(), std::nanf(""), {}),
               std::invalid_argument);
}

TEST(CollectionFilters, SearchByRangeLeavesOutWhatWasRemoved) {
  Collection collection = Collection::in_memory(small_options(16));
  const Matrix<float> vectors = random_vectors(kN, 16, 4);
  EXPECT_TRUE(collection.range_search(vectors.view(), 1).ids.empty());
  EXPECT_THROW((void)collection.range_search(Matrix<float>(1, 15).view(), 1),
               std::invalid_argument);
  collection.add(vectors.view());
  const std::vector<std::int64_t> gone = {0, 10, 20};
  collection.remove(gone);
  for (const bool trained : {false, true}) {
    if (trained) collection.train();
    RangeSearchOptions all;
    all.confidence = 1;
    const auto found = collection.range_search(vectors.view().slice(0, 2), 1e9F, all);
    EXPECT_EQ(found.ids.size(), 2 * (kN - gone.size()));
    for (const std::int64_t id : gone)
      EXPECT_THAT(found.ids, ::testing::Not(::testing::Contains(id)));
  }
}

TEST(CollectionFilters, IteratorsGoOnWithWhatWasThere) {
  Collection collection = Collection::in_memory(small_options(16));
  const Matrix<float> vectors = random_vectors(kN, 16, 5);
  EXPECT_EQ(collection.search_iterator(vectors.view().slice(0, 1)).next(10).ids.cols, 0U);
  collection.add(vectors.view());
  collection.train();
  SearchIterator iterator = collection.search_iterator(vectors.view().slice(0, 1));
  std::set<std::int64_t> seen;
  for (SearchResult batch = iterator.next(400); batch.ids.cols > 0; batch = iterator.next(400)) {
    for (const std::int64_t id : batch.ids.values) EXPECT_TRUE(seen.insert(id).second);
    const std::vector<std::int64_t> gone = {static_cast<std::int64_t>(seen.size())};
    collection.remove(gone);
    collection.compact();
  }
  EXPECT_EQ(seen.size(), kN);
}

}  // namespace
}  // namespace obliq
