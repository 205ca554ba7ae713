// Values are read as they are stored and converted here: HDF5's own conversion takes IEEE halves,
// numpy's float16, bit by bit.
#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <stdexcept>
#include <utility>

#include "datasets/element.h"
#include "datasets/hdf5_heap.h"
#include "datasets/hdf5_reader.h"

namespace obliq::datasets {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{1} << 20;

void reverse_bytes(std::vector<std::uint8_t>& bytes, std::size_t width) {
  const auto step = static_cast<std::ptrdiff_t>(width);
  for (auto value = bytes.begin(); value != bytes.end(); value += step) {
    std::reverse(value, value + step);
  }
}

void convert(Element element, const std::uint8_t* from, std::span<float> out) {
  to_floats(element, from, out);
}
void convert(Element element, const std::uint8_t* from, std::span<std::int64_t> out) {
  to_integers(element, from, out);
}

}  // namespace

Hdf5Dataset::Hdf5Dataset(StoredDataset dataset) : dataset_(std::move(dataset)) {
  const std::size_t row_bytes = std::max<std::size_t>(cols() * dataset_.type.width, 1);
  const std::size_t chunks =
      kPieceBytes / row_bytes / std::max<std::size_t>(dataset_.chunk_rows, 1);
  piece_rows_ = std::max<std::size_t>(chunks, 1) * std::max<std::size_t>(dataset_.chunk_rows, 1);
}

void Hdf5Dataset::fail(std::string_view reason) const {
  throw std::runtime_error(fmt::format("{}: {}", dataset_.file->bytes.name, reason));
}

void Hdf5Dataset::check_rows(std::size_t first, std::size_t count) const {
  if (first > rows() || count > rows() - first) {
    throw std::invalid_argument(fmt::format("{}: rows {} + {} are beyond the {} it has",
                                            dataset_.file->bytes.name, first, count, rows()));
  }
}

void Hdf5Dataset::check_numbers() const {
  if (dataset_.type.kind != StoredType::Kind::number) fail("holds strings, not numbers");
}

void Hdf5Dataset::check_integers() const {
  if (dataset_.type.kind != StoredType::Kind::number || !is_integer(dataset_.type.element)) {
    fail("does not hold integers");
  }
}

void Hdf5Dataset::read_stored(std::size_t first, std::size_t count, std::uint8_t* out) const {
  if (count > 0 && cols() > 0) dataset_.values->read(first, count, out);
}

template <typename Value>
void Hdf5Dataset::read_values(std::size_t first, std::size_t count, Value* out) const {
  std::vector<std::uint8_t> bytes;
  for (const std::size_t end = first + count; first < end;) {
    const std::size_t stop = std::min(end, (first / piece_rows_ + 1) * piece_rows_);
    const std::size_t values = (stop - first) * cols();
    bytes.resize(values * dataset_.type.width);
    read_stored(first, stop - first, bytes.data());
    if (dataset_.type.swapped) reverse_bytes(bytes, dataset_.type.width);
    convert(dataset_.type.element, bytes.data(), {out, values});
    out += values;
    first = stop;
  }
}

void Hdf5Dataset::read(std::size_t first, std::size_t count, float* out) const {
  check_rows(first, count);
  check_numbers();
  read_values(first, count, out);
}

void Hdf5Dataset::read(std::size_t first, std::size_t count, std::int64_t* out) const {
  check_rows(first, count);
  check_integers();
  read_values(first, count, out);
}

Matrix<float> Hdf5Dataset::read_floats() const {
  check_numbers();
  Matrix<float> all(rows(), cols());
  read(0, rows(), all.values.data());
  return all;
}

Matrix<std::int64_t> Hdf5Dataset::read_integers() const {
  check_integers();
  Matrix<std::int64_t> all(rows(), cols());
  read(0, rows(), all.values.data());
  return all;
}

std::vector<std::string> Hdf5Dataset::read_strings() const {
  const StoredType& type = dataset_.type;
  if (type.kind == StoredType::Kind::number) fail("does not hold strings");
  if (dataset_.rank != 1) fail("has 2 dimensions, not 1");
  std::vector<std::uint8_t> bytes(rows() * type.width);
  read_stored(0, rows(), bytes.data());
  Hdf5Heap heap(*dataset_.file);
  std::vector<std::string> strings;
  strings.reserve(rows());
  for (std::size_t i = 0; i < rows(); ++i) {
    const std::uint8_t* text = bytes.data() + i * type.width;
    strings.push_back(type.kind == StoredType::Kind::fixed_text ? trimmed(text, type)
                                                                : heap.text(text));
  }
  return strings;
}

}  // namespace obliq::datasets
