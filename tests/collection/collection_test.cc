// What is there, what a search finds, what is there after it was opened again. model_test.cc has
// random operations.
#include "obliq/collection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "core/random.h"
#include "tests/collection/memory_folder.h"
#include "tests/storage/files.h"

namespace obliq {
namespace {

constexpr std::size_t kDim = 12;

Matrix<float> random_vectors(Random& random, std::size_t n) {
  Matrix<float> vectors(n, kDim);
  for (float& x : vectors.values) x = static_cast<float>(random.gaussian());
  return vectors;
}

Matrix<std::int64_t> ids_from(std::int64_t first, std::size_t n) {
  Matrix<std::int64_t> ids(n, 1);
  std::iota(ids.values.begin(), ids.values.end(), first);
  return ids;
}

CollectionOptions options_of(Metric metric = Metric::l2) {
  CollectionOptions options;
  options.dim = kDim;
  options.metric = metric;
  options.train_at = 1000;
  return options;
}

class CollectionTest : public ::testing::Test {
 protected:
  std::string path() const { return folder_.path() + "/c"; }
  TemporaryFolder folder_{testing::memory_folder()};
};

TEST_F(CollectionTest, FindsWhatWasAddedAfterItIsOpenedAgain) {
  Random random(1);
  const Matrix<float> vectors = random_vectors(random, 50);
  {
    Collection collection = Collection::create(path(), options_of());
    EXPECT_EQ(collection.count(), 0U);
    EXPECT_EQ(collection.search(vectors.view().slice(0, 1)).ids.values.front(), -1);
    collection.add(vectors.view().slice(0, 30), ids_from(100, 30).view());
    EXPECT_EQ(collection.add(vectors.view().slice(30, 20)), 130);
    const std::int64_t gone[] = {105, 7};
    EXPECT_EQ(collection.remove(gone), 1U);
    EXPECT_EQ(collection.count(), 49U);
  }
  Collection collection = Collection::open(path());
  EXPECT_EQ(collection.count(), 49U);
  EXPECT_FALSE(collection.contains(105));
  EXPECT_TRUE(collection.contains(149));
  const SearchResult found = collection.search(vectors.view(), {.k = 1});
  for (std::size_t i = 0; i < vectors.rows; ++i) {
    if (i == 5) continue;
    EXPECT_EQ(found.ids.values[i], 100 + static_cast<std::int64_t>(i));
    EXPECT_NEAR(found.distances.values[i], 0, 1e-5);
  }
  const std::int64_t id = 117;
  std::vector<float> vector(kDim);
  collection.get(std::span(&id, 1), vector.data());
  for (std::size_t j = 0; j < kDim; ++j) EXPECT_NEAR(vector[j], vectors.row(17)[j], 1e-6);
  EXPECT_NO_THROW(collection.verify());
}

TEST_F(CollectionTest, RefusesAnIdThatIsThereAndChangesNothing) {
  Random random(2);
  const Matrix<float> vectors = random_vectors(random, 20);
  Collection collection = Collection::create(path(), options_of());
  collection.add(vectors.view().slice(0, 10), ids_from(0, 10).view());
  EXPECT_THROW(collection.add(vectors.view().slice(10, 10), ids_from(9, 10).view()),
               std::invalid_argument);
  EXPECT_EQ(collection.count(), 10U);
  EXPECT_FALSE(collection.contains(12));
  collection.upsert(vectors.view().slice(10, 10), ids_from(9, 10).view());
  EXPECT_EQ(collection.count(), 19U);
  const SearchResult found = collection.search(vectors.view().slice(10, 1), {.k = 1});
  EXPECT_EQ(found.ids.values.front(), 9);
}

TEST_F(CollectionTest, TellsWhatItWasMadeWith) {
  CollectionOptions given = options_of(Metric::cosine);
  given.quantizer = "lm4";
  given.raw = RawTier::fp16;
  given.spill = 0.25;
  given.seed = 9;
  Collection::create(path(), given);
  const CollectionOptions options = Collection::open(path()).options();
  EXPECT_EQ(options.dim, kDim);
  EXPECT_EQ(options.metric, Metric::cosine);
  EXPECT_EQ(options.quantizer, "lm4");
  EXPECT_EQ(options.raw, RawTier::fp16);
  EXPECT_EQ(options.spill, 0.25);
  EXPECT_EQ(options.seed, 9U);
  EXPECT_EQ(options.train_at, 1000U);
  const CollectionOptions chosen = Collection::in_memory(options_of()).options();
  EXPECT_EQ(chosen.quantizer, "sq8");
  EXPECT_EQ(chosen.spill, 0.5);
}

TEST_F(CollectionTest, IsRefusedWithMoreDimensionsThanAnIndexHas) {
  CollectionOptions options;
  options.dim = 65537;
  EXPECT_THAT([&] { (void)Collection::in_memory(options); },
              ::testing::ThrowsMessage<std::invalid_argument>(
                  ::testing::HasSubstr("dim must be 1 to 65536, not 65537")));
}

TEST_F(CollectionTest, LetsOneWriterInAndTellsItsProcess) {
  Collection collection = Collection::create(path(), options_of());
  try {
    Collection::open(path());
    FAIL() << "a second writer was let in";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr(std::to_string(::getpid())));
  }
  EXPECT_NO_THROW(Collection::open(path(), {.read_only = true}));
}

TEST_F(CollectionTest, TrainsInTheBackgroundAndKeepsAll) {
  for (const Metric metric : {Metric::l2, Metric::cosine, Metric::ip}) {
    const std::string place = path() + to_string(metric);
    Random random(3);
    const Matrix<float> vectors = random_vectors(random, 3000);
    {
      Collection collection = Collection::create(place, options_of(metric));
      for (std::size_t i = 0; i < vectors.rows; i += 100) {
        collection.add(vectors.view().slice(i, 100),
                       ids_from(static_cast<std::int64_t>(i), 100).view());
        const std::int64_t gone[] = {static_cast<std::int64_t>(i / 2)};
        collection.remove(gone);
      }
      collection.wait();
      const CollectionStats stats = collection.stats();
      EXPECT_FALSE(stats.is_exact) << to_string(metric);
      EXPECT_TRUE(stats.is_tuned);
      EXPECT_EQ(stats.n, 2970U);
    }
    Collection collection = Collection::open(place);
    EXPECT_EQ(collection.count(), 2970U);
    const SearchResult all = collection.search(vectors.view(), {.k = 1, .nprobe = 10000});
    std::size_t found = 0;
    for (std::size_t i = 0; i < vectors.rows; ++i) {
      found += all.ids.values[i] == static_cast<std::int64_t>(i) ? 1 : 0;
    }
    // By ip a longer vector may be nearer than the query itself.
    EXPECT_GT(found, metric == Metric::ip ? 500U : 2900U) << to_string(metric);
    collection.compact();
    EXPECT_EQ(collection.stats().segments, 1U);
    EXPECT_EQ(collection.stats().deleted_rows, 0U);
    EXPECT_EQ(collection.count(), 2970U);
    collection.export_index(folder_.path() + "/x.obliq");
    EXPECT_EQ(Index::open(folder_.path() + "/x.obliq", {.verify = true}).stats().n, 2970U);
    EXPECT_NO_THROW(collection.verify());
  }
}

TEST_F(CollectionTest, CopiesItselfWhileOthersGoOn) {
  Random random(8);
  const Matrix<float> vectors = random_vectors(random, 1500);
  Collection collection = Collection::create(path(), options_of());
  collection.add(vectors.view().slice(0, 1200), ids_from(0, 1200).view());
  collection.wait();
  const std::int64_t gone[] = {17};
  collection.remove(gone);
  collection.add(vectors.view().slice(1200, 100), ids_from(1200, 100).view());
  collection.backup(folder_.path() + "/copy");
  collection.add(vectors.view().slice(1300, 200), ids_from(1300, 200).view());
  collection.compact();
  Collection copy = Collection::open(folder_.path() + "/copy");
  EXPECT_EQ(copy.count(), 1299U);
  EXPECT_FALSE(copy.contains(17));
  EXPECT_TRUE(copy.contains(1299));
  EXPECT_NO_THROW(copy.verify());
  copy.add(vectors.view().slice(1400, 50), ids_from(5000, 50).view());
  EXPECT_EQ(copy.count(), 1349U);
  EXPECT_EQ(collection.count(), 1499U);
  EXPECT_THROW(collection.backup(folder_.path() + "/copy"), std::invalid_argument);
}

TEST_F(CollectionTest, TakesTheVectorsOfAnIndex) {
  Random random(9);
  const Matrix<float> vectors = random_vectors(random, 1200);
  BuildOptions build;
  build.raw = RawTier::fp32;
  const Matrix<std::int64_t> ids = ids_from(300, 1200);
  build.ids = ids.view();
  Index::build(vectors.view(), build).save(folder_.path() + "/x.obliq");
  Collection collection = Collection::in_memory(options_of());
  EXPECT_EQ(collection.import_index(folder_.path() + "/x.obliq"), 1200U);
  collection.wait();
  EXPECT_FALSE(collection.stats().is_exact);
  EXPECT_EQ(collection.search(vectors.view().slice(70, 1), {.k = 1}).ids.values.front(), 370);
  EXPECT_THROW(collection.import_index(folder_.path() + "/x.obliq"), std::invalid_argument);
}

TEST_F(CollectionTest, TunesAgainWhenThereAreMoreVectors) {
  Random random(10);
  const Matrix<float> vectors = random_vectors(random, 6000);
  Collection collection = Collection::create(path(), options_of());
  collection.add(vectors.view().slice(0, 1000), ids_from(0, 1000).view());
  collection.wait();
  ASSERT_TRUE(collection.stats().is_tuned);
  collection.add(vectors.view().slice(1000, 5000), ids_from(1000, 5000).view());
  collection.wait();
  const SearchResult found = collection.search(vectors.view(), {.k = 1, .target_recall = .9});
  std::size_t hits = 0;
  for (std::size_t i = 0; i < 6000; ++i) {
    hits += found.ids.values[i] == static_cast<std::int64_t>(i) ? 1 : 0;
  }
  EXPECT_GT(hits, 5400U);
}

TEST_F(CollectionTest, ReadersSeeWhatAWriterHasDoneOnceTheyRefresh) {
  Random random(12);
  const Matrix<float> vectors = random_vectors(random, 1500);
  Collection writer = Collection::create(path(), options_of());
  Collection reader = Collection::open(path(), {.read_only = true});
  EXPECT_FALSE(reader.refresh());
  for (std::size_t i = 0; i < 1500; i += 100) {
    writer.add(vectors.view().slice(i, 100), ids_from(static_cast<std::int64_t>(i), 100).view());
    EXPECT_EQ(reader.count(), i);
    EXPECT_TRUE(reader.refresh());
    EXPECT_EQ(reader.count(), i + 100);
  }
  writer.compact();
  reader.refresh();
  EXPECT_EQ(reader.count(), 1500U);
  EXPECT_THROW(reader.add(vectors.view()), std::invalid_argument);
}

}  // namespace
}  // namespace obliq
