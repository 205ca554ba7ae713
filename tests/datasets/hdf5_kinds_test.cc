// HDF5 datasets that are sound but not what is wanted, and those whose filters fail; from
// stored/filters.hdf5, written by h5py: 16 x 3 floats packed by LZF, with a Fletcher32 checksum and
// with one that no longer fits ('changed'), /g/h/train below a group with attribute distance =
// angular, and numbers of wide types in /wide.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "datasets/dataset.h"
#include "datasets/hdf5_names.h"
#include "tests/datasets/files.h"

namespace obliq::datasets {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

const std::string kFile = std::string(OBLIQ_SOURCE_DIR) + "/tests/datasets/stored/filters.hdf5";

Matrix<float> read(const std::string& dataset) {
  return read_all(*open_vectors(kFile + ":" + dataset));
}

void expect_unfit(const std::string& dataset, const std::string& reason) {
  EXPECT_THAT([&] { read(dataset); },
              ThrowsMessage<std::invalid_argument>(
                  AllOf(HasSubstr(kFile + ": dataset '" + dataset + "': "), HasSubstr(reason))));
}

TEST(Hdf5Kinds, AreNoVectorsWhereFloatsCannotHoldThem) {
  expect_unfit("wide/int32", "row 1 holds 16777217, which float32 cannot hold; scale");
  expect_unfit("wide/uint32", "row 1 holds 16777217, which");
  expect_unfit("wide/int64", "row 1 holds -16777217, which");
  expect_unfit("wide/uint64", "row 1 holds 18446744073709551615, which");
  expect_unfit("wide/float64", "row 1 holds 1e+300, which");
  expect_unfit("wide/tiny", "row 1 holds 1e-300, which");
  EXPECT_EQ(read("wide/held").values[3], 0x1p40F);
  EXPECT_THAT(read("wide/rounded").values, Each(.1F));
  std::vector<float> row(2);
  open_vectors(kFile + ":wide/int32")->read(2, 1, row.data());  // the row behind is held
}

TEST(Hdf5Kinds, AreNoVectorsWithOneAxis) {
  expect_unfit("wide/flat", "not one axis of 6 values; write x.reshape(n, dim)");
}

TEST(Hdf5Kinds, AreFoundInGroupsInsideGroups) {
  for (const std::string dataset : {"/g/h/train", "g/h/train", "//g//h/train"}) {
    EXPECT_EQ(read(dataset).values[0], 7) << dataset;
  }
  expect_unfit("/g/h", "is a group and no dataset; it holds 'train'");
  expect_unfit("g", "is a group and no dataset; it holds 'h'");
  expect_unfit("/", "is a group and no dataset; it holds 'changed', 'fletcher32', 'g', 'lzf'");
  expect_unfit("g/h/test", "is not in the file; 'g/h' holds 'train'");
}

TEST(Hdf5Kinds, TellTheMetricOfTheNearestGroup) {
  EXPECT_EQ(told_metric(kFile + ":/g/h/train"), Metric::cosine);
  EXPECT_EQ(told_metric(kFile + ":g/h/train"), Metric::cosine);
  EXPECT_EQ(told_metric(kFile + ":wide/held"), std::nullopt);
  EXPECT_EQ(told_metric(sample_set()), Metric::cosine);
  EXPECT_EQ(group_above("/g/h/train"), "/g/h");
  EXPECT_EQ(group_above("g/h"), "g");
  EXPECT_EQ(group_above("train"), "/");
  EXPECT_EQ(group_above("/"), "/");
}

TEST(Hdf5Filters, AreNamedWhereTheLibraryLacksThem) {
  expect_unfit("lzf",
               "rows 0 + 16 cannot be read: packed by LZF (filter 32000), which this build of HDF5 "
               "lacks; write it with compression='gzip' or none");
}

TEST(Hdf5Filters, AreNamedWhereTheyFindDamage) {
  EXPECT_EQ(read("fletcher32").values[1], 1);
  EXPECT_THAT([] { read("changed"); },
              ThrowsMessage<std::runtime_error>(
                  AllOf(HasSubstr("dataset 'changed': rows 0 + 16 cannot be read: "),
                        HasSubstr("(filters: Fletcher32); get the file again"))));
}

// VIBE's sets call queries to learn from "learn".
TEST(Hdf5Kinds, OfVibeHoldLearnQueries) {
  const TemporaryFolder folder;
  const std::string path = folder.file("vibe.hdf5");
  BenchmarkSet set;
  set.train = gaussian_vectors(7, 3, 1);
  set.test = gaussian_vectors(2, 3, 2);
  set.learn_queries = gaussian_vectors(4, 3, 3);
  write_set(path, set);
  std::vector<std::uint8_t> bytes = read_bytes(path);
  const std::string from = "learn_queries";
  const auto at = std::search(bytes.begin(), bytes.end(), from.begin(), from.end());
  ASSERT_NE(at, bytes.end());
  std::fill(at + 5, at + static_cast<std::ptrdiff_t>(from.size()), std::uint8_t{0});
  write_bytes(path, bytes);
  EXPECT_EQ(read_all(*open_vectors(path, "learn_queries")).values, set.learn_queries.values);
  EXPECT_EQ(read_set(path).learn_queries.values, set.learn_queries.values);
  EXPECT_EQ(queries_of_set(path), path + ":learn");
  EXPECT_THAT([&] { open_vectors(path + ":learn_queries"); },  // named, it is that or none
              ThrowsMessage<std::invalid_argument>(HasSubstr("is not in the file")));
}

TEST(Hdf5Kinds, AreQueriesWithoutASetAroundThem) {
  const TemporaryFolder folder;
  const std::string path = folder.file("set.hdf5");
  BenchmarkSet set;
  set.train = gaussian_vectors(3, 3, 1);
  set.test = gaussian_vectors(2, 3, 2);
  set.test_labels = {"x", "y"};
  set.truth.ids = Matrix<std::int64_t>(2, 1);
  set.truth.ids.values = {2, 3};  // of a larger set
  set.truth.distances = Matrix<float>(2, 1);
  write_set(path, set);
  EXPECT_EQ(read_labelled_queries(path).test.values, set.test.values);
  EXPECT_EQ(read_labelled_queries(path).test_labels, set.test_labels);
  EXPECT_THAT([&] { read_set(path); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("holds id 3, but train has 3 rows")));
}

}  // namespace
}  // namespace obliq::datasets
