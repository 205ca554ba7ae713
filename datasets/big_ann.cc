// big-ann-benchmarks: uint32 n, uint32 dim, then n rows of dim values: .fbin float32, .f16bin
// float16, .u8bin, .i8bin, .ibin int32. A truth file, whose name may be any, by its size:
//
//     queries, k, ids [queries][k]                                    int32: an .ibin
//     queries, k, ids [queries][k], distances [queries][k]            uint32, float32
//     queries, n, counts [queries], ids [n], distances [n]            of a range search
#include "datasets/big_ann.h"

#include <fmt/format.h>

#include <algorithm>
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
  // Who cuts a file with other tools leaves the number of rows as it was.
  layout.rows = std::min(layout.rows, cropped_name(file.name).rows.value_or(layout.rows));
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

enum class TruthLayout : std::uint8_t { none, ids, ids_and_distances, range };

// What the size says. Requires a whole header. k is the number of results of a range search.
TruthLayout truth_layout(const FileBytes& file, std::size_t queries, std::size_t k) {
  const std::size_t bytes = file.bytes.size() - kHeaderBytes;
  const std::size_t ids = queries * k;  // of two numbers of 32 bits
  if (k > 0 && bytes % 4 == 0 && bytes / 4 == ids) return TruthLayout::ids;
  if (k > 0 && bytes % 8 == 0 && bytes / 8 == ids) return TruthLayout::ids_and_distances;
  if (bytes != queries * 4 + k * 8) return TruthLayout::none;
  std::size_t results = 0;
  for (std::size_t q = 0; q < queries; ++q) results += read_u32(file, kHeaderBytes + q * 4);
  return results == k ? TruthLayout::range : TruthLayout::none;
}

}  // namespace

const FlatFamily kBigAnn{parse, header, row_header};

GroundTruth parse_truth_bin(const FileBytes& file) {
  const std::size_t queries = read_u32(file, 0);
  const std::size_t k = read_u32(file, 4);
  const TruthLayout found = truth_layout(file, queries, k);
  if (found == TruthLayout::range) {
    throw_unfit(
        file.name, 0,
        fmt::format("holds the truth of a range search ({} queries, {} results), not of the "
                    "k nearest neighbours: 'obliq eval --radius R --truth FILE' reads it",
                    queries, k));
  }
  if (k == 0) throw_damaged(file.name, 4, "k is 0");
  if (found == TruthLayout::none) {
    throw_damaged(file.name, 0,
                  fmt::format("{} queries of {} neighbours are {} ids of 4 bytes, or 8 with their "
                              "distances, but {} bytes follow the header",
                              queries, k, queries * k, file.bytes.size() - kHeaderBytes));
  }
  GroundTruth truth;
  const bool alone = found == TruthLayout::ids;
  const FlatLayout ids{queries, k, alone ? Element::i32 : Element::u32, kHeaderBytes, 0};
  truth.ids = read_integer_rows(file, ids);
  if (alone) return truth;
  const FlatLayout distances{queries, k, Element::f32, ids.row_offset(queries), 0};
  truth.distances = Matrix<float>(queries, k);
  read_rows(file, distances, 0, queries, truth.distances.values.data());
  return truth;
}

bool has_truth_size(const std::string& path) {
  const MappedFile map(path);
  const FileBytes file = bytes_of(map);
  if (file.bytes.size() < kHeaderBytes) return false;
  return truth_layout(file, read_u32(file, 0), read_u32(file, 4)) != TruthLayout::none;
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
