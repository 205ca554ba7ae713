// Columns of .npy and HDF5 files; stored/values.hdf5 is written by h5py, the .npy files, seeds of
// the fuzz target, by NumPy.
#include "datasets/value_array.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "datasets/dataset.h"
#include "tests/datasets/files.h"

namespace obliq::datasets {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

const std::string kTests = std::string(OBLIQ_SOURCE_DIR) + "/tests/";
const std::string kStored = kTests + "datasets/stored/values.hdf5";
const std::string kArrays = kTests + "fuzz/corpus/datasets_npy/";

template <typename Value>
std::vector<Value> stored(const std::string& dataset) {
  return std::get<std::vector<Value>>(read_value_array(kStored + ":" + dataset, ""));
}

template <typename Value>
std::vector<Value> array(const std::string& file) {
  return std::get<std::vector<Value>>(read_value_array(kArrays + file, ""));
}

void expect_refused(const std::string& spec, const std::string& reason) {
  EXPECT_THAT([&] { read_value_array(spec, "none"); },
              ThrowsMessage<std::invalid_argument>(HasSubstr(reason)))
      << spec;
}

TEST(ValueArrays, OfHdf5AreNumbersTruthValuesAndTexts) {
  EXPECT_THAT(stored<std::int64_t>("whole"), ElementsAre(1, -2, std::int64_t{1} << 62));
  EXPECT_THAT(stored<std::int64_t>("small"), ElementsAre(1, 2, 255));
  EXPECT_THAT(stored<double>("number"),
              ElementsAre(.1, -std::numeric_limits<double>::infinity(), 2.5));
  EXPECT_THAT(stored<double>("half"), ElementsAre(.5, 1, 2));
  EXPECT_THAT(stored<bool>("truth"), ElementsAre(true, false, true));
  EXPECT_THAT(stored<std::string>("fixed"), ElementsAre("en", "", "fr"));
  EXPECT_THAT(stored<std::string>("variable"), ElementsAre("en", "", "f\xC3\xBCr"));
  const auto by_name = read_value_array(kStored, "whole");
  EXPECT_EQ(size_of(by_name), 3);
}

TEST(ValueArrays, OfNumPyAreNumbersTruthValuesAndTexts) {
  EXPECT_THAT(array<bool>("bool.npy"), ElementsAre(true, false, true));
  EXPECT_THAT(array<std::int64_t>("uint64.npy"), ElementsAre(1, 2, 3));
  EXPECT_THAT(array<std::string>("bytes.npy"), ElementsAre("en", "", "fr"));
  EXPECT_THAT(array<std::string>("texts.npy"),
              ElementsAre("en", "", "f\xC3\xBCr \xF0\x9F\x98\x80"));
  EXPECT_EQ(size_of(read_value_array(kArrays + "int64_one_dimension.npy", "")),
            read_ids(kArrays + "int64_one_dimension.npy", "").rows);
}

TEST(ValueArrays, AreRefusedWhereTheyAreNoColumn) {
  expect_refused(kStored + ":wide", "row 2 holds 9223372036854775808, which int64 does not hold");
  expect_refused(kStored + ":table", "a column has one value per vector, not rows of 2");
  expect_refused(kStored, "dataset 'none': is not in the file; '/' holds 'fixed'");
  expect_refused(kArrays + "float32.npy", "a column has one value per vector, in one axis");
  expect_refused(kArrays + "pickle.npy", "values of type '|O' are not read");
  expect_refused(kArrays + "bool.npy:x", "a .npy file is one array: leave out ':x'");
  expect_refused("columns.parquet", "'columns.parquet' is no file of a column");
}

TEST(ValueArrays, OfTruthValuesAreNoVectorsNorIds) {
  EXPECT_THAT([&] { read_ids(kStored + ":truth", ""); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("does not hold integers")));
}

TEST(ValueArrays, AreRefusedWhereBytesAreNoValues) {
  const TemporaryFolder folder;
  const std::string file = folder.file("x.npy");
  std::vector<std::uint8_t> bytes = read_bytes(kArrays + "bool.npy");
  bytes.back() = 2;
  write_bytes(file, bytes);
  EXPECT_THAT([&] { read_value_array(file, ""); },
              ThrowsMessage<std::runtime_error>(HasSubstr("row 2 holds 2, not 0 or 1")));
  bytes = read_bytes(kArrays + "texts.npy");
  bytes.back() = 1;
  write_bytes(file, bytes);
  EXPECT_THAT([&] { read_value_array(file, ""); },
              ThrowsMessage<std::runtime_error>(HasSubstr("which is no code point")));
  bytes.pop_back();
  write_bytes(file, bytes);
  EXPECT_THAT([&] { read_value_array(file, ""); },
              ThrowsMessage<std::runtime_error>(HasSubstr("bytes follow the header")));
}

}  // namespace
}  // namespace obliq::datasets
