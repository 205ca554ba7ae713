// Columns of collections: what is given comes back, whatever is done with the collection.
#include "tests/collection/columns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collection/column_schema.h"
#include "collection/directory.h"
#include "collection/manifest.h"
#include "obliq/collection.h"
#include "storage/temporary_folder.h"
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

constexpr std::size_t kDim = 8;
constexpr CollectionAccess kAlone = {.threads = 1};

template <typename Call>
std::string refusal(Call call) {
  try {
    call();
  } catch (const std::invalid_argument& error) {
    return error.what();
  } catch (const std::runtime_error& error) {
    return std::string("runtime_error: ") + error.what();
  }
  return "nothing was thrown";
}

class CollectionColumns : public ::testing::Test {
 protected:
  std::string path() const { return folder_ / "c"; }
  static CollectionOptions options() {
    CollectionOptions options = testing::small_options(kDim);
    options.train_at = 5000;
    options.columns = test_schema();
    options.quantizer = "lm4";
    options.spill = .5;
    return options;
  }
  Collection create() const { return Collection::create(path(), options(), kAlone); }
  static void upsert(Collection& collection, std::int64_t first, const Columns& columns,
                     std::uint64_t seed = 1) {
    const std::size_t n = columns.front().size();
    const auto ids = ids_from(first, n);
    collection.upsert(random_vectors(n, kDim, seed).view(), {ids.data(), n, 1}, columns);
  }
  // With right checksums.
  template <typename Change>
  void replace_manifest(Change change) const {
    const CollectionDirectory directory(path());
    Manifest manifest = read_manifest(directory, directory.newest_manifest());
    change(manifest);
    ++manifest.info.version;
    write_manifest(directory, manifest);
  }
  void replace_schema(const ColumnSchema& schema) const {
    replace_manifest([&](Manifest& manifest) {
      manifest.schema = std::make_shared<const ColumnSchema>(schema);
    });
  }
  TemporaryFolder folder_{testing::memory_folder()};
};

TEST_F(CollectionColumns, AreAmongTheOptions) {
  EXPECT_EQ(create().options().columns, test_schema());
  EXPECT_EQ(Collection::open(path()).options().columns, test_schema());
  EXPECT_EQ(Collection::in_memory(options()).options().columns, test_schema());
}

TEST_F(CollectionColumns, ComeBackFromTheLogFromFilesAndUnderAnotherModel) {
  const Columns first = values_for(test_schema(), 1200, 1);
  const Columns second = values_for(test_schema(), 300, 2);
  {
    Collection collection = create();
    upsert(collection, 0, first);
    upsert(collection, 1100, second);
    expect_columns(collection, 1100, second);
  }  // more than 500 rows: a file
  std::optional<Collection> collection(Collection::open(path(), kAlone));
  EXPECT_GT(collection->stats().file_bytes, 0U);
  expect_columns(*collection, 1100, second);
  upsert(*collection, 0, values_for(test_schema(), 50, 3));
  collection.reset();  // the log has 50 of them
  collection.emplace(Collection::open(path(), kAlone));
  EXPECT_EQ(collection->stats().rows_in_memory, 50U);
  expect_columns(*collection, 0, values_for(test_schema(), 50, 3));
  collection->compact();
  EXPECT_EQ(collection->stats().segments, 1U);
  expect_columns(*collection, 0, values_for(test_schema(), 50, 3));
  expect_columns(*collection, 1100, second);
  collection->train();
  EXPECT_FALSE(collection->stats().is_exact);
  expect_columns(*collection, 0, values_for(test_schema(), 50, 3));
  expect_columns(*collection, 1100, second);
  collection->verify();
}

TEST_F(CollectionColumns, AreNullWhereTheyAreNotGiven) {
  Collection collection = create();
  collection.add(random_vectors(3, kDim).view(), std::vector{years({1, 2, 3})});
  collection.add(random_vectors(2, kDim).view());
  const Columns found = collection.get_columns(std::vector<std::int64_t>{4, 2, 2});
  ASSERT_EQ(found.size(), test_schema().size());
  EXPECT_TRUE(found[0].is_null(0));
  EXPECT_EQ(found[0].integer(1), 3);
  EXPECT_EQ(found[0].integer(2), 3);
  for (std::size_t c = 1; c < found.size(); ++c) EXPECT_TRUE(found[c].is_null(1));
  testing::upsert(collection, 2, 1);  // its values are gone, too
  EXPECT_TRUE(collection.get_columns(std::vector<std::int64_t>{2}).front().is_null(0));
}

TEST_F(CollectionColumns, OfManyVectorsAreInTheirFile) {
  constexpr std::size_t kMany = 70000;
  Collection collection = create();
  ColumnValues year({"year", ColumnType::int64});
  for (std::size_t i = 0; i < kMany; ++i) year.add(static_cast<std::int64_t>(i * i));
  collection.add(random_vectors(kMany, kDim).view(), std::vector{year});
  EXPECT_EQ(collection.stats().rows_in_memory, 0U);
  expect_columns(collection, 0, {year});
}

TEST_F(CollectionColumns, AreRefusedWhereTheyAreNotThoseOfTheSchema) {
  Collection collection = create();
  const auto add = [&](const Columns& columns) {
    return refusal([&] { collection.add(random_vectors(2, kDim).view(), columns); });
  };
  EXPECT_THAT(add({ColumnValues({"yeer", ColumnType::int64})}),
              ::testing::AllOf(HasSubstr("'yeer'"), HasSubstr("'year'"), HasSubstr("add_column")));
  EXPECT_THAT(add({ColumnValues({"year", ColumnType::float64})}),
              HasSubstr("'year' is of type int64, not double"));
  EXPECT_THAT(add({years({1})}), HasSubstr("'year' has 1 values for 2 vectors"));
  EXPECT_THAT(add({years({1, 2}), years({1, 2})}), HasSubstr("'year'"));
  EXPECT_EQ(collection.count(), 0U);
  EXPECT_THAT(refusal([&] {
                (void)collection.get_columns(std::vector<std::int64_t>{},
                                             std::vector<std::string>{"nix"});
              }),
              HasSubstr("'nix'"));
  EXPECT_THAT(refusal([&] { (void)collection.get_columns(std::vector<std::int64_t>{7}); }),
              HasSubstr("id 7"));
  CollectionOptions twice = options();
  twice.columns.push_back(twice.columns.front());
  EXPECT_THAT(refusal([&] { (void)Collection::in_memory(twice); }), HasSubstr("'year'"));
}

TEST_F(CollectionColumns, MayBeAddedLater) {
  const ColumnSpec added = {"rank", ColumnType::float64};
  ColumnValues rank(added);
  rank.add(.5);
  {
    Collection collection = create();
    upsert(collection, 0, values_for(test_schema(), 600, 1));
    collection.compact();
    upsert(collection, 600, values_for(test_schema(), 5, 2));
    Collection reader = Collection::open(path(), {.read_only = true});
    collection.add_column(added);
    EXPECT_EQ(collection.options().columns.back(), added);
    EXPECT_TRUE(collection.get_columns(std::vector<std::int64_t>{3}).back().is_null(0));
    collection.add(random_vectors(1, kDim).view(), std::vector{rank});
    EXPECT_TRUE(reader.refresh());
    EXPECT_EQ(reader.options().columns.back(), added);
    expect_columns(reader, 605, {rank});
    EXPECT_THAT(refusal([&] { collection.add_column(added); }),
                HasSubstr("'rank' is there already, of type double"));
    EXPECT_THAT(refusal([&] {
                  collection.add_column({"", ColumnType::int64});
                }),
                HasSubstr("UTF-8"));
    EXPECT_THAT(refusal([&] {
                  reader.add_column({"x", ColumnType::int64});
                }),
                HasSubstr("read only"));
  }
  Collection collection = Collection::open(path(), kAlone);
  EXPECT_EQ(collection.options().columns.size(), test_schema().size() + 1);
  expect_columns(collection, 605, {rank});
  expect_columns(collection, 600, values_for(test_schema(), 5, 2));
  EXPECT_TRUE(collection.get_columns(std::vector<std::int64_t>{602}).back().is_null(0));
  collection.verify();
}

TEST_F(CollectionColumns, MayBeTheFirstOnesAndCalledForBeforeAnyVector) {
  CollectionOptions none = options();
  none.columns.clear();
  Collection collection = Collection::in_memory(none);
  EXPECT_THAT(
      refusal([&] { collection.add(random_vectors(1, kDim).view(), std::vector{years({1})}); }),
      HasSubstr("it has none"));
  collection.add_column({"year", ColumnType::int64});
  collection.add(random_vectors(1, kDim).view(), std::vector{years({1})});
  expect_columns(collection, 0, {years({1})});
  EXPECT_EQ(collection.stats().columns.size(), 1U);
  EXPECT_GT(collection.stats().column_bytes, 0U);
}

TEST_F(CollectionColumns, AreNamedByKeysToo) {
  CollectionOptions keyed = options();
  keyed.ids = IdType::string;
  const std::vector<std::string_view> keys = {"a", "b"};
  {
    Collection collection = Collection::create(path(), keyed, kAlone);
    collection.add(random_vectors(2, kDim).view(), keys, std::vector{years({1, 2})});
    collection.upsert(random_vectors(1, kDim).view(), std::vector<std::string_view>{"b"},
                      std::vector{years({3})});
    EXPECT_THAT(refusal([&] { (void)collection.get_columns(std::vector<std::int64_t>{0}); }),
                HasSubstr("strings"));
    EXPECT_THAT(refusal([&] { (void)collection.get_columns(std::vector<std::string_view>{"c"}); }),
                HasSubstr("id 'c' at position 0"));
  }
  const Collection collection = Collection::open(path());
  const Columns found = collection.get_columns(std::vector<std::string_view>{"b", "a"},
                                               std::vector<std::string>{"year"});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].integer(0), 3);
  EXPECT_EQ(found[0].integer(1), 1);
}

TEST_F(CollectionColumns, GoToAnIndexAndComeBackFromIt) {
  const Columns values = values_for(test_schema(), 100, 1);
  const std::string file = folder_ / "x.obliq";
  Collection collection = create();
  upsert(collection, 0, values);
  collection.export_index(file);
  Collection other = Collection::in_memory(options());
  EXPECT_EQ(other.import_index(file), 100U);
  expect_columns(other, 0, values);
  CollectionOptions without = options();
  without.columns.pop_back();
  Collection lacks = Collection::in_memory(without);
  EXPECT_THAT(refusal([&] { lacks.import_index(file); }),
              ::testing::AllOf(HasSubstr("'note'"), HasSubstr("add_column"), HasSubstr(file)));
  EXPECT_EQ(lacks.count(), 0U);
  without.columns.push_back({"note", ColumnType::keyword});
  Collection differs = Collection::in_memory(without);
  EXPECT_THAT(refusal([&] { differs.import_index(file); }),
              HasSubstr("'note' is of type keyword, not bytes"));
}

TEST_F(CollectionColumns, AreInABackup) {
  const Columns values = values_for(test_schema(), 700, 1);
  Collection collection = create();
  upsert(collection, 0, values);
  collection.compact();
  collection.update(ids_from(10, 1), std::vector{years({-5})});
  collection.backup(folder_ / "b");
  const Collection kept = Collection::open(folder_ / "b", {.read_only = true});
  EXPECT_EQ(kept.options().columns, test_schema());
  expect_columns(kept, 10, {years({-5})});
  kept.verify();
}

TEST_F(CollectionColumns, OfASegmentThatTheManifestDoesNotKnowAreDamage) {
  {
    Collection collection = create();
    upsert(collection, 0, values_for(test_schema(), 600, 1));
  }
  ColumnSchema schema = test_schema();
  schema[1].type = ColumnType::bytes;
  replace_schema(schema);
  EXPECT_THAT(refusal([&] { (void)Collection::open(path()); }),
              ::testing::AllOf(HasSubstr("runtime_error"), HasSubstr("seg-"),
                               HasSubstr("'lang' is of type bytes, not keyword")));
  schema.erase(schema.begin() + 1);
  replace_schema(schema);
  EXPECT_THAT(refusal([&] { (void)Collection::open(path()); }), HasSubstr("unknown column 'lang'"));
}

TEST_F(CollectionColumns, OfALogThatTheManifestDoesNotKnowAreDamage) {
  {
    Collection collection = create();
    collection.add(random_vectors(3, kDim).view());
    collection.update(ids_from(0, 1), std::vector{years({7})});
  }
  std::optional<Collection> reader(Collection::open(path(), {.read_only = true}));
  ColumnSchema schema = test_schema();
  schema[0].type = ColumnType::timestamp;
  replace_schema(schema);
  const auto is_told = ::testing::AllOf(HasSubstr("runtime_error"), HasSubstr("log-"),
                                        HasSubstr("change 2: the collection has no column 'year'"));
  EXPECT_THAT(refusal([&] { (void)Collection::open(path()); }), is_told);
  EXPECT_THAT(refusal([&] { reader->verify(); }), is_told);
  EXPECT_THAT(refusal([&] { reader->refresh(); }), is_told);
  EXPECT_EQ(reader->get_columns(ids_from(0, 1))[0].integer(0), 7);  // goes on with what it has
  replace_schema({});
  EXPECT_THAT(refusal([&] { (void)Collection::open(path()); }), HasSubstr("change 2"));
}

// A record without keys, in a collection whose ids are strings, and the other way round.
TEST_F(CollectionColumns, OfALogOfOtherIdsAreDamage) {
  for (const IdType ids : {IdType::int64, IdType::string}) {
    std::filesystem::remove_all(path());
    {
      CollectionOptions made = options();
      made.ids = ids;
      Collection collection = Collection::create(path(), made, kAlone);
      const Columns columns = {years({1})};
      if (ids == IdType::string) {
        collection.add(random_vectors(1, kDim).view(), std::vector<std::string_view>{"a"}, columns);
      } else {
        collection.add(random_vectors(1, kDim).view(), columns);
      }
    }
    replace_manifest([](Manifest& manifest) { manifest.info.ids = 1 - manifest.info.ids; });
    EXPECT_THAT(refusal([&] { (void)Collection::open(path()); }),
                HasSubstr(ids == IdType::string ? "it has keys" : "it has no keys"));
  }
}

TEST(CollectionSchema, IsReadAsItWasWritten) {
  const std::string bytes = write_collection_schema(test_schema());
  EXPECT_EQ(read_collection_schema(std::as_bytes(std::span(bytes))), test_schema());
}

TEST(CollectionSchema, IsRefusedWhereItIsNoSchema) {
  const std::string sound = write_collection_schema(test_schema());
  const auto read = [](const std::string& bytes) {
    return refusal([&] { (void)read_collection_schema(std::as_bytes(std::span(bytes))); });
  };
  for (std::size_t size = 0; size < sound.size(); ++size) {
    EXPECT_THAT(read(sound.substr(0, size)), HasSubstr("ends too early")) << size;
  }
  EXPECT_THAT(read(sound + "x"), HasSubstr("behind the last name"));
  std::string bytes = sound;
  bytes[4] = 7;  // a type
  EXPECT_THAT(read(bytes), HasSubstr("type"));
  bytes = sound;
  bytes[6] = '\n';
  EXPECT_THAT(read(bytes), HasSubstr("control characters"));
  EXPECT_THAT(read(std::string(4, '\0')), HasSubstr("0 columns"));
  bytes = sound;
  bytes[0] = bytes[1] = '\x7F';
  EXPECT_THAT(read(bytes), HasSubstr("columns"));
  const std::string twice = write_collection_schema({{"a", ColumnType::int64}, {"a", {}}});
  EXPECT_THAT(read(twice), HasSubstr("'a'"));
}

}  // namespace
}  // namespace obliq
