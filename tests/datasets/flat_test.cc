// TEXMEX, big-ann and npy files: bytes written and read, values that do not fit, bytes refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string>
#include <system_error>

#include "datasets/dataset.h"
#include "datasets/element.h"
#include "tests/datasets/files.h"

namespace obliq::datasets {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

using Bytes = std::vector<std::uint8_t>;

Matrix<float> whole_numbers(std::size_t rows, std::size_t dim) {
  Matrix<float> vectors(rows, dim);
  for (std::size_t i = 0; i < vectors.values.size(); ++i) {
    vectors.values[i] = static_cast<float>(i % 120);
  }
  return vectors;
}

// An npy file with this header text, padded as NumPy does.
Bytes npy(std::string header, std::size_t value_bytes, std::uint8_t major = 1) {
  header.append(63 - (header.size() + 10) % 64, ' ');
  header += '\n';
  Bytes bytes{0x93, 'N', 'U', 'M', 'P', 'Y', major, 0};
  for (std::size_t i = 0; i < (major == 1 ? 2U : 4U); ++i) {
    bytes.push_back(static_cast<std::uint8_t>(header.size() >> (8 * i)));
  }
  bytes.insert(bytes.end(), header.begin(), header.end());
  bytes.resize(bytes.size() + value_bytes);
  return bytes;
}

// Error is std::runtime_error for damaged files, std::invalid_argument for sound ones of another
// kind.
template <typename Error = std::runtime_error>
void expect_refused(const std::string& name, const Bytes& bytes, const std::string& reason) {
  const TemporaryFolder folder;
  const std::string path = folder.file(name);
  write_bytes(path, bytes);
  const bool is_for_ids = name.ends_with(".ivecs");
  EXPECT_THAT([&] { read_all(*open_vectors(path, "", is_for_ids ? "ivecs" : "")); },
              ThrowsMessage<Error>(AllOf(HasSubstr(path + ": at offset "), HasSubstr(reason))));
}

constexpr auto expect_unfit = expect_refused<std::invalid_argument>;

TEST(FlatFormats, ReturnWhatWasWritten) {
  for (const std::string suffix : {".fvecs", ".bvecs", ".ivecs", ".fbin", ".u8bin", ".i8bin",
                                   ".f16bin", ".ibin", ".npy", ".hdf5", ".h5"}) {
    const TemporaryFolder folder;
    const std::string path = folder.file("set" + suffix);
    const Matrix<float> vectors = whole_numbers(5, 7);
    write_vectors(path, MatrixSource(vectors.view()));
    EXPECT_EQ(folder.entries(), 1U);
    const auto source = open_vectors(path, "train", suffix);
    EXPECT_EQ(source->rows(), 5U) << suffix;
    EXPECT_EQ(source->dim(), 7U) << suffix;
    EXPECT_EQ(read_all(*source).values, vectors.values) << suffix;
    std::vector<float> rows(14);
    source->read(2, 2, rows.data());
    EXPECT_TRUE(std::equal(rows.begin(), rows.end(), vectors.row(2))) << suffix;
    EXPECT_THROW(source->read(4, 2, rows.data()), std::invalid_argument) << suffix;
  }
}

TEST(FlatFormats, HoldIds) {
  for (const std::string suffix : {".ivecs", ".ibin", ".npy", ".hdf5"}) {
    const TemporaryFolder folder;
    const std::string path = folder.file("ids" + suffix);
    Matrix<std::int64_t> ids(2, 3);
    ids.values = {4, 0, -1, 2147483647, 8, 9};
    write_ids(path, ids.view());
    const Matrix<std::int64_t> read = read_ids(path, "neighbors");
    EXPECT_EQ(read.rows, 2U) << suffix;
    EXPECT_EQ(read.values, ids.values) << suffix;
  }
}

TEST(FlatFormats, RefuseIdsThatTheyCannotHold) {
  const TemporaryFolder folder;
  Matrix<std::int64_t> ids(1, 2);
  ids.values = {1, std::int64_t{1} << 31};
  EXPECT_THAT([&] { write_ids(folder.file("ids.ivecs"), ids.view()); },
              ThrowsMessage<std::invalid_argument>(
                  HasSubstr("row 0, column 1: 2147483648 does not fit int32")));
  EXPECT_THROW(write_ids(folder.file("ids.fvecs"), ids.view()), std::invalid_argument);
  EXPECT_EQ(folder.entries(), 0U);
  write_ids(folder.file("ids.npy"), ids.view());
  EXPECT_EQ(read_ids(folder.file("ids.npy"), "").values, ids.values);
}

TEST(FlatFormats, RefuseVectorsThatTheyCannotHold) {
  const TemporaryFolder folder;
  const auto refused = [&](const std::string& suffix, float value) {
    Matrix<float> vectors(2, 2);
    vectors.values[3] = value;
    EXPECT_THAT([&] { write_vectors(folder.file("set" + suffix), MatrixSource(vectors.view())); },
                ThrowsMessage<std::invalid_argument>(HasSubstr("row 1, column 1")))
        << suffix << " " << value;
  };
  refused(".bvecs", 256);
  refused(".bvecs", -1);
  refused(".u8bin", 0.5F);
  refused(".i8bin", -129);
  refused(".i8bin", std::numeric_limits<float>::quiet_NaN());
  refused(".ibin", 2147483648.0F);
  refused(".f16bin", 65520);
  EXPECT_EQ(folder.entries(), 0U);
}

TEST(FlatFormats, WriteTheBytesOfTheirDefinition) {
  const TemporaryFolder folder;
  Matrix<float> vectors(2, 1);
  vectors.values = {1, 2};
  write_vectors(folder.file("set.bvecs"), MatrixSource(vectors.view()));
  EXPECT_EQ(read_bytes(folder.file("set.bvecs")), (Bytes{1, 0, 0, 0, 1, 1, 0, 0, 0, 2}));
  write_vectors(folder.file("set.f16bin"), MatrixSource(vectors.view()));
  EXPECT_EQ(read_bytes(folder.file("set.f16bin")),
            (Bytes{2, 0, 0, 0, 1, 0, 0, 0, 0x00, 0x3C, 0x00, 0x40}));
  write_vectors(folder.file("set.npy"), MatrixSource(vectors.view()));
  Bytes expected = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }", 0);
  expected.insert(expected.end(), {0, 0, 0x80, 0x3F, 0, 0, 0, 0x40});
  EXPECT_EQ(read_bytes(folder.file("set.npy")), expected);
}

TEST(FlatFormats, HoldEmptySetsWhereTheHeaderTellsTheDim) {
  for (const std::string suffix : {".fbin", ".npy", ".hdf5"}) {
    const TemporaryFolder folder;
    const std::string path = folder.file("set" + suffix);
    write_vectors(path, MatrixSource(Matrix<float>(0, 4).view()));
    EXPECT_EQ(open_vectors(path)->rows(), 0U) << suffix;
    EXPECT_EQ(open_vectors(path)->dim(), 4U) << suffix;
  }
}

TEST(FlatFormats, LeaveTheOldFileWhenWritingFails) {
  const TemporaryFolder folder;
  const std::string path = folder.file("set.u8bin");
  write_vectors(path, MatrixSource(whole_numbers(1, 1).view()));
  const Bytes before = read_bytes(path);
  Matrix<float> wrong(1, 1);
  wrong.values[0] = -1;
  EXPECT_THROW(write_vectors(path, MatrixSource(wrong.view())), std::invalid_argument);
  EXPECT_EQ(read_bytes(path), before);
  EXPECT_EQ(folder.entries(), 1U);
}

TEST(FlatFormats, SayWhatTheSystemSays) {
  EXPECT_THROW(open_vectors("/no/such/file.fvecs"), std::system_error);
  EXPECT_THROW(open_vectors("/no/such/file.npy"), std::system_error);
  EXPECT_THROW(write_vectors("/no/such/file.fbin", MatrixSource(whole_numbers(1, 1).view())),
               std::system_error);
}

TEST(TexmexFiles, RefuseBadDimsAndTails) {
  expect_refused("a.fvecs", {}, "ends after 0 bytes");
  expect_refused("a.fvecs", {1, 0, 0}, "ends after 3 bytes");
  expect_refused("a.fvecs", {0, 0, 0, 0}, "row 0 has dim 0");
  expect_refused("a.fvecs", {255, 255, 255, 255}, "row 0 has dim -1");
  expect_refused("a.fvecs", {255, 255, 255, 127, 0, 0, 0, 0}, "row 0 is cut short");
  expect_refused("a.bvecs", {1, 0, 0, 0, 7, 1, 0, 0}, "offset 5: row 1 is cut short");
  expect_refused("a.bvecs", {1, 0, 0, 0, 7, 2, 0, 0, 0, 7}, "offset 5: row 1 has dim 2");
}

TEST(BigAnnFiles, RefuseShapesThatTheBytesDoNotFill) {
  expect_refused("a.fbin", {1, 0, 0, 0}, "ends after 4 bytes");
  expect_refused("a.fbin", {1, 0, 0, 0, 0, 0, 0, 0}, "dim is 0");
  expect_refused("a.fbin", {1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0}, "need 4 bytes, but 3 follow");
  expect_refused("a.u8bin", {1, 0, 0, 0, 1, 0, 0, 0, 0, 0}, "need 1 bytes, but 2 follow");
  expect_refused("a.fbin", Bytes(8, 255), "rows of 4294967295 values");
}

TEST(BigAnnTruth, ReturnsWhatWasWritten) {
  const TemporaryFolder folder;
  GroundTruth truth{Matrix<std::int64_t>(2, 2), Matrix<float>(2, 2)};
  truth.ids.values = {7, 4294967295, 0, 1};
  truth.distances.values = {0.5F, 1.5F, 2.5F, 3.5F};
  const std::string path = folder.file("truth.bin");
  write_truth_bin(path, truth);
  EXPECT_EQ(read_truth_bin(path).ids.values, truth.ids.values);
  EXPECT_EQ(read_truth_bin(path).distances.values, truth.distances.values);
  Bytes bytes = read_bytes(path);
  EXPECT_EQ(bytes.size(), 8U + 16U + 16U);
  bytes.pop_back();
  write_bytes(path, bytes);
  EXPECT_THAT([&] { read_truth_bin(path); },
              ThrowsMessage<std::runtime_error>(
                  HasSubstr("2 queries of 2 neighbours are 4 ids of 4 bytes, or 8 with "
                            "their distances, but 31 bytes follow")));
  truth.ids.values[1] = -1;
  EXPECT_THROW(write_truth_bin(path, truth), std::invalid_argument);
}

TEST(NpyFiles, ReadEveryVersionAndType) {
  const TemporaryFolder folder;
  const std::string path = folder.file("a.npy");
  for (std::uint8_t major = 1; major <= 3; ++major) {
    for (const std::string type : {"<f2", "<f4", "<f8", "|u1", "|i1", "<i4", "<u4", "<i8"}) {
      const std::size_t width = static_cast<std::size_t>(type[2] - '0');
      const std::string header =
          "{\"shape\": (2, 3), 'fortran_order': False, 'descr': '" + type + "'}";
      write_bytes(path, npy(header, 6 * width, major));
      EXPECT_EQ(read_all(*open_vectors(path)).values, std::vector<float>(6)) << type;
    }
  }
  write_bytes(path, npy("{'descr': '<i8', 'fortran_order': False, 'shape': (3,), }", 24));
  EXPECT_EQ(read_ids(path, "").rows, 3U);
  EXPECT_EQ(read_ids(path, "").cols, 1U);
}

TEST(NpyFiles, OfPython2AreRead) {
  const TemporaryFolder folder;
  const std::string path = folder.file("a.npy");
  for (const std::string header :
       {"{'descr': '<f4', 'fortran_order': False, 'shape': (2L, 3L), }",
        "{u'descr': u'<f4', u'fortran_order': False, u'shape': (2L, 3), }",
        "{'descr': b'<f4', 'fortran_order': False, 'shape': (2,\t3L), }"}) {
    write_bytes(path, npy(header, 24));
    EXPECT_EQ(open_vectors(path)->rows(), 2U) << header;
    EXPECT_EQ(open_vectors(path)->dim(), 3U) << header;
  }
  expect_refused("a.npy", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2LL, 3), }", 24),
                 "expected");
}

// Of one row [0, value].
Bytes npy_of(const std::string& descr, std::uint64_t value, std::size_t width) {
  Bytes bytes =
      npy("{'descr': '" + descr + "', 'fortran_order': False, 'shape': (1, 2), }", 2 * width);
  std::memcpy(&bytes[bytes.size() - width], &value, width);
  return bytes;
}

TEST(NpyFiles, AreNoVectorsWhereFloatsCannotHoldThem) {
  const std::uint64_t odd = (1U << 24U) + 1;
  expect_unfit("a.npy", npy_of("<i4", odd, 4), "row 0 holds 16777217, which float32 cannot");
  expect_unfit("a.npy", npy_of("<u4", odd, 4), "row 0 holds 16777217, which float32 cannot");
  expect_unfit("a.npy", npy_of("<i8", ~odd + 1, 8), "row 0 holds -16777217, which");
  expect_unfit("a.npy", npy_of("<u8", ~std::uint64_t{0}, 8), "holds 18446744073709551615, which");
  expect_unfit("a.npy", npy_of("<f8", std::bit_cast<std::uint64_t>(1e300), 8), "holds 1e+300, ");
  expect_unfit("a.npy", npy_of("<f8", std::bit_cast<std::uint64_t>(1e-300), 8), "holds 1e-300, ");
  const TemporaryFolder folder;
  const std::string path = folder.file("a.npy");
  write_bytes(path, npy_of("<i8", std::uint64_t{1} << 40U, 8));
  EXPECT_EQ(read_all(*open_vectors(path)).values[1], 0x1p40F);
  write_bytes(path, npy_of("<f8", std::bit_cast<std::uint64_t>(.1), 8));
  EXPECT_EQ(read_all(*open_vectors(path)).values[1], .1F);
}

TEST(NpyFiles, AreNoVectorsWithOneAxis) {
  expect_unfit("a.npy", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", 12),
               "one axis of 3 values; save x.reshape(n, dim)");
}

TEST(TexmexFiles, AreNoVectorsWhereFloatsCannotHoldTheirIntegers) {
  expect_unfit("a.ivecs", {1, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1},
               "offset 12: row 1 holds 16777217");
}

TEST(NpyFiles, RefuseWhatIsNoPlainArray) {
  const auto refused = [](const std::string& header, const std::string& reason) {
    expect_refused("a.npy", npy(header, 24), reason);
  };
  const auto unfit = [](const std::string& header, const std::string& reason) {
    expect_unfit("a.npy", npy(header, 24), reason);
  };
  unfit("{'descr': '|O', 'fortran_order': False, 'shape': (2, 3), }", "pickles");
  unfit("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }", "Fortran order");
  unfit("{'descr': '>f4', 'fortran_order': False, 'shape': (2, 3), }", "type '>f4'");
  unfit("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2, 3), }", "records");
  refused("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 4), }", "need 32 bytes");
  refused("{'descr': '<f4', 'fortran_order': False, 'shape': (6, 0), }", "dim is 0");
  unfit("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 3), }", "3 dimensions");
  unfit("{'descr': '<f4', 'fortran_order': False, 'shape': (), }", "0 dimensions");
  refused("{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 6), }", "whole number");
  refused("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999, 6), }",
          "number too large");
  refused("{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807, 6), }",
          "too many");
  refused("{'descr': '<f4', 'fortran_order': False, }", "'shape' is missing");
  refused("{'descr': '<f4', 'descr': '<f4', }", "repeated");
  refused("{'descr': '<f4', 'fortran_order': Maybe, }", "True or False");
  refused("{'other': '<f4'}", "unknown key 'other'");
  refused("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)} x", "closing brace");
  expect_refused("a.npy", {1, 2, 3}, "ends inside the npy header");
  expect_refused("a.npy", Bytes(64, 'x'), "not an npy file");
  Bytes long_header = npy("{}", 0);
  long_header[9] = 0x7F;
  expect_refused("a.npy", long_header, "does not fit the file");
  expect_refused("a.npy", npy("{}", 0, 4), "npy format 4.0");
}

TEST(Elements, ConvertEveryByteAndTheEdgesOfEveryInteger) {
  for (int i = 0; i < 256; ++i) {
    const auto byte = static_cast<std::uint8_t>(i);
    float value = 0;
    std::int64_t whole = 0;
    to_floats(Element::u8, &byte, {&value, 1});
    EXPECT_EQ(value, static_cast<float>(i));
    to_integers(Element::i8, &byte, {&whole, 1});
    EXPECT_EQ(whole, static_cast<std::int8_t>(byte));
  }
  std::uint8_t out[8] = {};
  const std::vector<float> edges{-2147483648.0F, 2147483520.0F};
  EXPECT_EQ(from_floats(Element::i32, {edges.data(), 1}, out), 1U);
  EXPECT_EQ(from_floats(Element::i32, {edges.data() + 1, 1}, out), 1U);
  const float beyond = 9223372036854775808.0F;
  EXPECT_EQ(from_floats(Element::i64, {&beyond, 1}, out), 0U);
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(from_floats(Element::f16, {&infinity, 1}, out), 1U);
}

}  // namespace
}  // namespace obliq::datasets
