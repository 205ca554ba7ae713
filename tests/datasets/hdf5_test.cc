// ann-benchmarks HDF5 files: reading, writing, and what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <stdexcept>
#include <system_error>

#include "core/half.h"
#include "datasets/dataset.h"
#include "datasets/hdf5_reader.h"
#include "tests/datasets/files.h"

namespace obliq::datasets {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

BenchmarkSet small_set(Metric metric) {
  BenchmarkSet set;
  set.metric = metric;
  set.train = gaussian_vectors(7, 3, 1);
  set.test = gaussian_vectors(2, 3, 2);
  set.truth.ids = Matrix<std::int64_t>(2, 2);
  set.truth.ids.values = {3, 1, 0, 6};
  set.truth.distances = Matrix<float>(2, 2);
  set.truth.distances.values = {0.25F, 1.0F, 0.5F, 2.25F};
  set.learn_queries = gaussian_vectors(4, 3, 3);
  set.train_labels = {"a", "", "gr\xC3\xBC\xC3\x9F", "d", "e", "f", "g"};
  set.test_labels = {"x", "y"};
  return set;
}

TEST(Hdf5Set, ReadsTheSampleSetWithHalvesAndLabels) {
  const BenchmarkSet set = read_set(sample_set());
  EXPECT_EQ(set.metric, Metric::cosine);
  EXPECT_EQ(set.train.rows, 10000U);
  EXPECT_EQ(set.train.cols, 384U);
  EXPECT_EQ(set.test.rows, 500U);
  EXPECT_EQ(set.truth.ids.rows, 500U);
  EXPECT_EQ(set.truth.ids.cols, 100U);
  ASSERT_EQ(set.train_labels.size(), 10000U);
  EXPECT_EQ(set.test_labels.size(), 500U);
  EXPECT_EQ(set.train_labels[1],
            "This package provides the Kazoo application server integration module for Kamailio.");
  EXPECT_EQ(set.train.values[0], half_to_float(0xB08F));  // -0.1425, as h5py shows it
  EXPECT_FLOAT_EQ(set.truth.distances.values[0], 0.48890924F);
}

TEST(Hdf5Set, ReturnsWhatWasWritten) {
  for (const Metric metric : {Metric::l2, Metric::ip, Metric::cosine}) {
    const TemporaryFolder folder;
    const BenchmarkSet set = small_set(metric);
    write_set(folder.file("set.hdf5"), set);
    EXPECT_EQ(folder.entries(), 1U);
    const BenchmarkSet read = read_set(folder.file("set.hdf5"));
    EXPECT_EQ(read.metric, metric);
    EXPECT_EQ(read.train.values, set.train.values);
    EXPECT_EQ(read.test.values, set.test.values);
    EXPECT_EQ(read.truth.ids.values, set.truth.ids.values);
    for (std::size_t i = 0; i < 4; ++i) {
      EXPECT_FLOAT_EQ(read.truth.distances.values[i], set.truth.distances.values[i]);
    }
    EXPECT_EQ(read.learn_queries.values, set.learn_queries.values);
    EXPECT_EQ(read.train_labels, set.train_labels);
    EXPECT_EQ(read.test_labels, set.test_labels);
  }
}

TEST(Hdf5Set, StoresRootsForEuclideanSets) {
  const TemporaryFolder folder;
  write_set(folder.file("set.hdf5"), small_set(Metric::l2));
  const Matrix<float> stored = read_all(*open_vectors(folder.file("set.hdf5:distances"), "train"));
  EXPECT_THAT(stored.values, ::testing::ElementsAre(0.5F, 1.0F, std::sqrt(0.5F), 1.5F));
}

TEST(Hdf5Set, StoresHalvesOnRequest) {
  const TemporaryFolder folder;
  const BenchmarkSet set = small_set(Metric::l2);
  write_set(folder.file("set.hdf5"), set, Stored::float16);
  const BenchmarkSet read = read_set(folder.file("set.hdf5"));
  for (std::size_t i = 0; i < set.train.values.size(); ++i) {
    EXPECT_EQ(read.train.values[i], half_to_float(float_to_half(set.train.values[i])));
  }
}

TEST(Hdf5Set, NegatesInnerProductsThatFall) {
  const TemporaryFolder folder;
  BenchmarkSet set = small_set(Metric::ip);
  set.truth.distances.values = {3, 2, 1, -1};
  write_set(folder.file("set.hdf5"), set);
  EXPECT_THAT(read_set(folder.file("set.hdf5")).truth.distances.values,
              ::testing::ElementsAre(-3.0F, -2.0F, -1.0F, 1.0F));
}

TEST(Hdf5Set, LeavesTheTrainVectorsOutWhenAsked) {
  const BenchmarkSet set = read_set(sample_set(), ReadTrain::no);
  EXPECT_EQ(set.train.rows, 0U);
  EXPECT_EQ(set.test.rows, 500U);
}

TEST(Hdf5Vectors, ReadsAnyRowsOfAnyDataset) {
  const Matrix<float> all = read_all(*open_vectors(sample_set()));
  const auto source = open_vectors(sample_set());
  std::vector<float> rows(3 * 384);
  source->read(4095, 3, rows.data());  // across the border of two chunks
  EXPECT_TRUE(std::equal(rows.begin(), rows.end(), all.row(4095)));
  EXPECT_EQ(open_vectors(sample_set() + ":test")->rows(), 500U);
  EXPECT_EQ(open_vectors(sample_set(), "test")->rows(), 500U);
  EXPECT_EQ(read_ids(sample_set(), "neighbors").cols, 100U);
  EXPECT_THROW(source->read(9999, 2, rows.data()), std::invalid_argument);
}

TEST(Hdf5Vectors, WidensEveryHalfExactly) {
  const TemporaryFolder folder;
  Matrix<float> all(1 << 8, 1 << 8);
  for (std::size_t i = 0; i < all.values.size(); ++i) {
    const auto half = static_cast<std::uint16_t>(i);
    const bool finite = (half & 0x7C00U) != 0x7C00U;
    all.values[i] = finite ? half_to_float(half) : 0.0F;
  }
  BenchmarkSet set;
  set.train = all;
  write_set(folder.file("halves.hdf5"), set, Stored::float16);
  EXPECT_EQ(read_all(*open_vectors(folder.file("halves.hdf5"))).values, all.values);
}

std::string stored_files() { return std::string(OBLIQ_SOURCE_DIR) + "/tests/datasets/stored/"; }

// Written by h5py: contiguous floats, big-endian ones in chunks, packed halves, and packed floats
// in the layout of newer versions of HDF5.
TEST(Hdf5Vectors, AreTheSameHoweverTheyAreStored) {
  const std::string folder = stored_files();
  std::vector<float> expected(18);
  for (int i = 0; i < 18; ++i) {
    expected[static_cast<std::size_t>(i)] = static_cast<float>(i * 7 % 23 - 11) / 8;
  }
  for (const std::string name : {"floats", "big_endian", "packed_halves", "newer_packed"}) {
    const BenchmarkSet set = read_set(folder + name + ".hdf5");
    EXPECT_EQ(set.train.values, expected) << name;
    EXPECT_EQ(set.test.rows, 2U) << name;
    EXPECT_THAT(set.truth.ids.values, ::testing::ElementsAre(0, 1, 1, 0)) << name;
  }
  EXPECT_THAT(read_set(folder + "packed_halves.hdf5").train_labels,
              ::testing::ElementsAre("a", "bb", "", "d", "e\xC3\xBC", "f"));
  EXPECT_THAT(read_set(folder + "floats.hdf5").train_labels,
              ::testing::ElementsAre("a", "bb", "", "d", "e", "f"));
}

TEST(Hdf5Results, HoldWhatAnnBenchmarksReads) {
  const TemporaryFolder folder;
  ResultFile results;
  results.algorithm = "obliq";
  results.dataset = "set";
  results.parameters = "sq8 nprobe=4";
  results.k = 2;
  results.ids = Matrix<std::int64_t>(1, 2);
  results.ids.values = {5, -1};
  results.distances = Matrix<float>(1, 2);
  results.distances.values = {4.0F, std::numeric_limits<float>::infinity()};
  results.query_seconds = {0.001F};
  write_results(folder.file("results.hdf5"), results);
  const Hdf5Reader file(folder.file("results.hdf5"));
  EXPECT_EQ(file.text_attribute("algo"), "obliq");
  EXPECT_EQ(file.text_attribute("name"), "sq8 nprobe=4");
  EXPECT_EQ(file.text_attribute("distance"), "euclidean");
  EXPECT_EQ(file.dataset("neighbors").read_integers().values, results.ids.values);
  EXPECT_EQ(file.dataset("distances").read_floats().values[0], 2.0F);
  EXPECT_EQ(file.dataset("times").read_floats().values, results.query_seconds);
}

TEST(Hdf5Errors, NameFileDatasetAndReason) {
  const TemporaryFolder folder;
  const std::string path = folder.file("set.hdf5");
  write_set(path, small_set(Metric::l2));
  EXPECT_THAT([&] { open_vectors(path + ":absent"); },
              ThrowsMessage<std::invalid_argument>(AllOf(
                  HasSubstr(path + ": dataset 'absent': is not in the file; '/' holds 'distances'"),
                  HasSubstr("'train'"))));
  EXPECT_THAT([&] { read_all(*open_vectors(path + ":train_labels")); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("holds strings")));
  EXPECT_THAT([&] { read_ids(path, "train"); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("does not hold integers")));
  EXPECT_THROW(read_set(folder.file("none.hdf5")), std::system_error);
  write_bytes(folder.file("text.hdf5"), {'n', 'o'});
  EXPECT_THAT([&] { read_set(folder.file("text.hdf5")); },
              ThrowsMessage<std::runtime_error>(HasSubstr("text.hdf5: not an HDF5 file")));
  EXPECT_THAT([&] { open_vectors("vectors.txt"); },
              ThrowsMessage<std::invalid_argument>(HasSubstr(".hdf5")));
}

TEST(Hdf5Errors, SayThatAWebPageIsNoHdf5File) {
  const TemporaryFolder folder;
  const std::string path = folder.file("page.hdf5");
  std::string page = "<!DOCTYPE html><html><body>404 Not Found</body></html>";
  page.resize(5000, ' ');
  write_bytes(path, {page.begin(), page.end()});
  EXPECT_THAT([&] { open_vectors(path + ":train"); },
              ThrowsMessage<std::runtime_error>(path + ": not an HDF5 file"));
}

TEST(Hdf5Errors, NameATruncatedFileWhereverItIsCut) {
  const TemporaryFolder folder;
  const std::string path = folder.file("cut.hdf5");
  for (const std::string name : {"floats", "newer_packed"}) {
    std::vector<std::uint8_t> bytes = read_bytes(stored_files() + name + ".hdf5");
    bytes.pop_back();
    write_bytes(path, bytes);
    EXPECT_THAT([&] { read_set(path); }, ThrowsMessage<std::runtime_error>(
                                             AllOf(HasSubstr(path), HasSubstr("truncated file"))));
    while (bytes.size() > 600) {
      bytes.erase(bytes.end() - 509, bytes.end());
      write_bytes(path, bytes);
      EXPECT_THAT([&] { read_set(path); }, ThrowsMessage<std::runtime_error>(HasSubstr(path)));
    }
  }
}

// odd.hdf5: compounds, 0 and 3 dimensions, 1000000 x 1000000 floats never written, and a group.
TEST(Hdf5Errors, NameTheDatasetWhoseTypeOrShapeIsNotRead) {
  const std::string path = stored_files() + "odd.hdf5";
  const auto refused = [&]<typename Error>(Error, const std::string& dataset,
                                           const std::string& text) {
    EXPECT_THAT([&] { open_vectors(path + ":" + dataset); },
                ThrowsMessage<Error>(
                    AllOf(HasSubstr(path + ": dataset '" + dataset + "'"), HasSubstr(text))));
  };
  const auto reason = [&](const std::string& dataset, const std::string& text) {
    refused(std::invalid_argument(""), dataset, text);
  };
  reason("complex", "holds neither numbers");
  reason("records", "holds neither numbers");
  reason("scalar", "has 0 dimensions, not 1 or 2");
  reason("cube", "has 3 dimensions, not 1 or 2");
  refused(std::runtime_error(""), "unwritten",
          "claims 4000000000000 bytes of values, but 0 bytes are stored");
  reason("group", "is a group and no dataset; it holds 'floats'");
  reason("group/absent", "is not in the file; 'group' holds 'floats'");
  reason("absent/absent", "is not in the file; '/' holds 'complex', 'cube', 'group', ");
  reason("group/floats", "not one axis of 2 values; write x.reshape(n, dim)");
  EXPECT_THAT(Hdf5Reader(path).dataset("group/floats").read_floats().values,
              ::testing::ElementsAre(1.0F, 2.0F));
}

// huge.hdf5: 'neighbors' is 2^62 x 0, 'wide' 0 x 2^40, and all 64 of 'texts' are one string of 3000
// bytes in the file.
TEST(Hdf5Errors, ComeBeforeALoopOrMemoryOfTheExtentsThatADatasetClaims) {
  const std::string path = stored_files() + "huge.hdf5";
  const auto says = [&](const std::string& text) {
    return ThrowsMessage<std::runtime_error>(AllOf(HasSubstr(path), HasSubstr(text)));
  };
  EXPECT_THAT([&] { read_set(path); }, says("4611686018427387904 rows without"));
  EXPECT_THAT([&] { read_ids(path + ":neighbors", "neighbors"); },
              says("4611686018427387904 rows without"));
  EXPECT_THAT([&] { open_vectors(path + ":neighbors"); }, says("4611686018427387904 rows without"));
  EXPECT_THAT([&] { open_vectors(path + ":wide"); }, says("rows of 1099511627776 values"));
  EXPECT_THAT([&] { Hdf5Reader(path).dataset("texts").read_strings(); },
              says("claims 192064 bytes of strings"));
}

TEST(Hdf5Errors, RefuseSetsWhosePartsDoNotFit) {
  const TemporaryFolder folder;
  const std::string path = folder.file("set.hdf5");
  BenchmarkSet set = small_set(Metric::l2);
  set.truth.ids.values[2] = 7;
  write_set(path, set);
  EXPECT_THAT([&] { read_set(path); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("id 7, but train has 7 rows")));
  set = small_set(Metric::l2);
  set.test_labels.pop_back();
  write_set(path, set);
  EXPECT_THAT([&] { read_set(path); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("1 labels for 2 vectors")));
  set = small_set(Metric::l2);
  set.test = gaussian_vectors(2, 4, 2);
  EXPECT_THROW(write_set(path, set), std::invalid_argument);
  EXPECT_THROW(write_set(folder.file("no/such/folder.hdf5"), small_set(Metric::l2)),
               std::system_error);
}

}  // namespace
}  // namespace obliq::datasets
