// big-ann-benchmarks: uint32 n, uint32 dim, then n rows of dim values: .fbin float32, .f16bin
// float16, .u8bin, .i8bin, .ibin int32. The truth file: uint32 queries, uint32 k, then all ids as
// uint32 and all distances as float32, [queries][k] both.
#include "datasets/big_ann.h"

#include <fmt/format.h>

#include <limits>
#include <span>
#include <stdexcept>

#include "datasets/dataset.h"
#include "datasets/flat_format.h"
#include "storage/atomic_file.h"
#include "storage/file_error.h"

namespace obliq::datasets {
namespace {

constexpr std::size_t kHeaderBytes = 8;

FlatLayout parse(const FileBytes& file, Element element) {
  FlatLayout layout;
  layout.rows = read_u32(file, 0);
  layout.dim = read_u32(file, 4);
  layout.element = element;
  layout.header_bytes = kHeaderBytes;
  return checked_layout(file, layout, 0);
}

std::vector<std::uint8_t> header(std::size_t rows, std::size_t dim, Element) {
  constexpr std::size_t kMost = std::numeric_limits<std::uint32_t>::max();
  if (rows > kMost || dim > kMost) {
    throw std::invalid_argument(
        fmt::format("{} x {} values do not fit the uint32 shape of big-ann files", rows, dim));
  }
  std::vector<std::uint8_t> bytes;
  append_u32(bytes, static_cast<std::uint32_t>(rows));
  append_u32(bytes, static_cast<std::uint32_t>(dim));
  return bytes;
}

std::vector<std::uint8_t> row_header(std::size_t) { return {}; }

}  // namespace

const FlatFamily kBigAnn{parse, header, row_header};

GroundTruth parse_truth_bin(const FileBytes& file) {
  const std::size_t queries = read_u32(file, 0);
  const std::size_t k = read_u32(file, 4);
  if (k == 0) throw_damaged(file.name, 4, "k is 0");
  // Ids and distances are of one size: two tables of 4-byte rows.
  FlatLayout ids = checked_layout(file, {2 * queries, k, Element::u32, kHeaderBytes, 0}, 0);
  ids.rows = queries;
  FlatLayout distances = ids;
  distances.element = Element::f32;
  distances.header_bytes = ids.row_offset(queries);
  GroundTruth truth;
  truth.ids = read_integer_rows(file, ids);
  truth.distances = Matrix<float>(queries, k);
  read_rows(file, distances, 0, queries, truth.distances.values.data());
  return truth;
}

GroundTruth read_truth_bin(const std::string& path) {
  const MappedFile map(path);
  return parse_truth_bin(bytes_of(map));
}

void write_truth_bin(const std::string& path, const GroundTruth& truth) {
  const auto& ids = truth.ids.values;
  const auto& distances = truth.distances.values;
  if (truth.ids.cols == 0 || truth.ids.rows != truth.distances.rows ||
      truth.ids.cols != truth.distances.cols) {
    throw std::invalid_argument(fmt::format("ground truth of {} x {} ids and {} x {} distances",
                                            truth.ids.rows, truth.ids.cols, truth.distances.rows,
                                            truth.distances.cols));
  }
  std::vector<std::uint8_t> bytes(ids.size() * sizeof(std::uint32_t));
  const std::size_t done = from_integers(Element::u32, ids, bytes.data());
  if (done < ids.size()) {
    throw std::invalid_argument(fmt::format("{}: query {}: id {} does not fit uint32", path,
                                            done / truth.ids.cols, ids[done]));
  }
  AtomicFile file(path);
  const auto start = header(truth.ids.rows, truth.ids.cols, Element::u32);
  file.expect(start.size() + 2 * bytes.size());
  file.append(std::as_bytes(std::span(start)));
  file.append(std::as_bytes(std::span(bytes)));
  file.append(std::as_bytes(std::span(distances)));
  file.commit();
}

}  // namespace obliq::datasets
