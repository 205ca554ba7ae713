// Collections that were written once and are read for ever, in tests/golden/collections. Each has
// the vectors and gives the answers that answers.txt pins, to readers and, of a copy, to a writer.
//
// One that is new is added to kKept: its test writes what is missing, and fails with the row that
// answers.txt lacks. Nothing that is there is written anew.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <filesystem>
#include <numeric>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "collection/directory.h"
#include "obliq/collection.h"
#include "storage/crc32c.h"
#include "storage/section_file.h"
#include "tests/collection/columns.h"
#include "tests/collection/memory_folder.h"
#include "tests/index/frozen.h"
#include "tests/storage/damage.h"
#include "tests/storage/files.h"

namespace obliq {
namespace {

namespace fs = std::filesystem;

constexpr CollectionAccess kAlone = {.threads = 1};
constexpr std::int64_t kMostIds = 4000;

struct Kept {
  std::string name;
  CollectionOptions options;
  void (*change)(const std::string& path, std::size_t dim);  // of a new one
};

void PrintTo(const Kept& kept, std::ostream* out) { *out << kept.name; }

void upsert(Collection& collection, std::size_t dim, std::int64_t first, std::size_t n) {
  const Matrix<float> vectors = testing::vectors(n, dim, static_cast<std::uint64_t>(first) + n);
  std::vector<std::int64_t> ids(n);
  std::iota(ids.begin(), ids.end(), first);
  collection.upsert(vectors.view(), {ids.data(), n, 1});
}

void remove(Collection& collection, std::int64_t first, std::size_t n) {
  std::vector<std::int64_t> ids(n);
  std::iota(ids.begin(), ids.end(), first);
  collection.remove(ids);
}

// Nothing but a log.
void log_alone(const std::string& path, std::size_t dim) {
  Collection collection = Collection::open(path, kAlone);
  upsert(collection, dim, 100, 20);
  upsert(collection, dim, 110, 15);
  remove(collection, 103, 4);
  collection.add(testing::vectors(3, dim, 7).view());
}

// A segment with deleted rows, and a log behind it.
void flat(const std::string& path, std::size_t dim) {
  Collection collection = Collection::open(path, kAlone);
  upsert(collection, dim, 0, 30);
  collection.compact();
  remove(collection, 5, 6);
  upsert(collection, dim, 40, 5);
  collection.compact();
  upsert(collection, dim, 3, 4);
  remove(collection, 20, 2);
}

void trained(const std::string& path, std::size_t dim) {
  Collection collection = Collection::open(path, kAlone);
  upsert(collection, dim, 0, 1000);
  collection.train();
}

// Two segments, one with deleted rows, and a log behind them.
void changed(const std::string& path, std::size_t dim) {
  trained(path, dim);
  {
    Collection collection = Collection::open(path, kAlone);
    remove(collection, 30, 40);
    upsert(collection, dim, 980, 520);
  }
  Collection collection = Collection::open(path, kAlone);
  upsert(collection, dim, 1495, 15);
  remove(collection, 0, 2);
  remove(collection, 1497, 1);
}

// Columns in segments and in a log, one of them added later; updates, of both.
void with_columns(const std::string& path, std::size_t dim) {
  Collection collection = Collection::open(path, kAlone);
  const auto put = [&](std::int64_t first, std::size_t n) {
    const Matrix<float> vectors = testing::vectors(n, dim, static_cast<std::uint64_t>(first) + n);
    const std::vector<std::int64_t> ids = testing::ids_from(first, n);
    collection.upsert(vectors.view(), {ids.data(), n, 1},
                      testing::values_for(collection.options().columns, n, n));
  };
  put(0, 1000);
  collection.train();
  upsert(collection, dim, 990, 30);
  collection.update(testing::ids_from(100, 7), testing::values_for(testing::test_schema(), 7, 5));
  collection.compact();
  collection.add_column({"later", ColumnType::float64});
  put(1010, 20);
  collection.update(testing::ids_from(5, 9),
                    testing::values_for({{"later", ColumnType::float64}}, 9, 6));
  collection.update(testing::ids_from(1025, 2), testing::values_for(testing::test_schema(), 2, 7));
}

// Numbers of lists and of vectors are as small as a model allows.
const Kept kKept[] = {
    {"log_alone", {.dim = 6, .metric = Metric::ip, .train_at = 5000}, log_alone},
    {"flat", {.dim = 5, .train_at = 5000}, flat},
    {"sq8", {.dim = 4, .quantizer = "sq8", .train_at = 5000}, trained},
    {"sq8_changed", {.dim = 4, .quantizer = "sq8", .train_at = 5000}, changed},
    {"lm4_spill_fp16",
     {.dim = 6,
      .metric = Metric::cosine,
      .quantizer = "lm4",
      .raw = RawTier::fp16,
      .spill = .5,
      .train_at = 5000},
     changed},
    {"columns",
     {.dim = 4,
      .quantizer = "lm4",
      .spill = .5,
      .train_at = 5000,
      .columns = testing::test_schema()},
     with_columns},
};

std::string golden_folder(const std::string& name) {
  return OBLIQ_SOURCE_DIR "/tests/golden/collections/" + name;
}

void write(const Kept& kept) {
  const std::string path = golden_folder(kept.name);
  Collection::create(path, kept.options);
  kept.change(path, kept.options.dim);
  fs::remove(path + "/LOCK");
}

std::vector<std::int64_t> ids_in(const Collection& collection) {
  std::vector<std::int64_t> ids;
  for (std::int64_t id = 0; id < kMostIds; ++id) {
    if (collection.contains(id)) ids.push_back(id);
  }
  return ids;
}

// Ids, vectors, and what searches find.
std::string answers_of(const Kept& kept, const Collection& collection) {
  testing::Hash hash;
  const auto add = [&](const std::vector<float>& values) {
    for (const float value : values) hash.add(std::uint64_t{std::bit_cast<std::uint32_t>(value)});
  };
  const auto add_ids = [&](const std::vector<std::int64_t>& ids) {
    for (const std::int64_t id : ids) hash.add(static_cast<std::uint64_t>(id));
  };
  const std::vector<std::int64_t> ids = ids_in(collection);
  add_ids(ids);
  std::vector<float> vectors(ids.size() * kept.options.dim);
  collection.get(ids, vectors.data());
  add(vectors);
  const Matrix<float> queries = testing::queries(20, kept.options.dim, 3);
  for (const SearchOptions& options :
       {SearchOptions{.k = 1, .nprobe = 1, .confidence = .9F, .threads = 1},
        SearchOptions{.k = 10, .nprobe = 8, .threads = 2, .batch_order = BatchOrder::list},
        SearchOptions{.k = 50, .nprobe = testing::kAllLists, .confidence = 1, .threads = 1},
        SearchOptions{.k = 10, .threads = 1, .target_recall = .9}}) {
    const SearchResult found = collection.search(queries.view(), options);
    add_ids(found.ids.values);
    add(found.distances.values);
  }
  for (const ColumnValues& column : collection.get_columns(ids)) {
    for (const std::int64_t value : testing::numbers_of(column)) {
      hash.add(static_cast<std::uint64_t>(value));
    }
  }
  return kept.name + " " + std::to_string(ids.size()) + " " + hash.text();
}

class GoldenCollections : public ::testing::TestWithParam<Kept> {
 protected:
  std::string copy() const {
    std::string path = folder_.path() + "/c";
    fs::copy(golden_folder(GetParam().name), path);
    return path;
  }
  TemporaryFolder folder_{testing::memory_folder()};
};

INSTANTIATE_TEST_SUITE_P(Golden, GoldenCollections, ::testing::ValuesIn(kKept),
                         [](const auto& kept) { return kept.param.name; });

TEST_P(GoldenCollections, GiveTheAnswersOfTheDayTheyWereWritten) {
  const Kept& kept = GetParam();
  if (!fs::exists(golden_folder(kept.name))) write(kept);
  const Collection collection =
      Collection::open(golden_folder(kept.name), {.read_only = true, .threads = 1});
  EXPECT_EQ(answers_of(kept, collection), testing::golden("collections/answers.txt")[kept.name]);
  EXPECT_NO_THROW(collection.verify());
  const CollectionOptions options = collection.options();
  EXPECT_EQ(options.metric, kept.options.metric);
  EXPECT_EQ(options.raw, kept.options.raw);
  EXPECT_EQ(options.train_at, kept.options.train_at);
}

TEST_P(GoldenCollections, AreWrittenToOnceTheyAreCopied) {
  const Kept& kept = GetParam();
  const std::string path = copy();
  {
    Collection collection = Collection::open(path, kAlone);
    EXPECT_EQ(answers_of(kept, collection), testing::golden("collections/answers.txt")[kept.name]);
    const std::vector<std::int64_t> before = ids_in(collection);
    const std::int64_t first = collection.add(testing::vectors(2, kept.options.dim, 1).view());
    EXPECT_GT(first, before.back());
    EXPECT_EQ(collection.remove(std::vector{first, first + 1}), 2U);
    collection.compact();
    EXPECT_EQ(collection.stats().segments, 1U);
    EXPECT_EQ(ids_in(collection), before);
    upsert(collection, kept.options.dim, 2000, 1000);
    collection.train();
  }
  const Collection collection = Collection::open(path, kAlone);
  EXPECT_FALSE(collection.stats().is_exact);
  EXPECT_TRUE(collection.contains(2999));
  EXPECT_NO_THROW(collection.verify());
}

// What opening the collection says.
std::string refusal(const std::string& path) {
  try {
    Collection::open(path, kAlone);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "it was opened";
}

class NewerCollections : public ::testing::Test {
 protected:
  NewerCollections() {
    fs::copy(golden_folder("sq8_changed"), path());
    const CollectionDirectory directory(path());
    manifest_ = directory.manifest(directory.newest_manifest());
  }
  std::string path() const { return folder_.path() + "/c"; }
  std::string file(const std::string& prefix) const {
    for (const auto& entry : fs::directory_iterator(path())) {
      if (entry.path().filename().string().starts_with(prefix)) return entry.path();
    }
    return {};
  }
  static void add_section(const std::string& file, const std::string& name, Need need) {
    std::vector<std::pair<std::string, Bytes>> sections;
    {
      const SectionFile old(file, Loading::memory);
      for (const std::string& each : old.section_names()) {
        const auto bytes = old.section(each);
        sections.emplace_back(each, Bytes(bytes.begin(), bytes.end()));
      }
    }
    SectionWriter writer(file);
    for (const auto& [each, bytes] : sections) writer.add(each, bytes, Need::required);
    writer.add(name, Bytes(100), need);
    writer.commit();
  }
  TemporaryFolder folder_{testing::memory_folder()};
  std::string manifest_;
};

// Of a bitmap the manifest knows the head, which is another then.
TEST_F(NewerCollections, AreRefusedWhereAVersionIsNotKnown) {
  for (const std::string prefix : {"MANIFEST-", "model-", "seg-", "log-"}) {
    const Bytes sound = read_bytes(file(prefix));
    Bytes bytes = sound;
    store(bytes, 8, std::uint32_t{77});  // the version, in section files and logs
    const std::size_t crc_at = prefix == "log-" ? 40 : 60;
    store(bytes, crc_at, crc32c(std::span(bytes).first(crc_at)));
    write_bytes(file(prefix), bytes);
    EXPECT_THAT(refusal(path()), ::testing::AllOf(::testing::HasSubstr(file(prefix)),
                                                  ::testing::HasSubstr("version 77")));
    write_bytes(file(prefix), sound);
  }
  EXPECT_EQ(refusal(path()), "it was opened");
}

TEST_F(NewerCollections, AreRefusedWhereASectionThatMustBeKnownIsNot) {
  add_section(manifest_, "columns", Need::required);
  EXPECT_THAT(refusal(path()),
              ::testing::AllOf(::testing::HasSubstr(manifest_), ::testing::HasSubstr("columns")));
}

TEST_F(NewerCollections, AreOpenedWhereASectionMayBeUnknown) {
  add_section(manifest_, "columns", Need::optional);
  EXPECT_EQ(refusal(path()), "it was opened");
}

}  // namespace
}  // namespace obliq
