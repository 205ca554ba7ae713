// Datasets of numbers and strings. Values are read as they are stored and converted here: HDF5's
// own conversion takes IEEE halves bit by bit, and trusts what a damaged file says of a type.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "datasets/file_error.h"
#include "datasets/hdf5_reader.h"
#include "datasets/hdf5_strings.h"
#include "datasets/hdf5_type.h"

namespace obliq::datasets {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{1} << 20;
// deflate shrinks at most by 1032; what claims to be much smaller than this does not hold data.
constexpr std::uint64_t kMostCompression = 1100;
constexpr std::size_t kSmallChunkBytes = std::size_t{1} << 20;

void reverse_bytes(std::vector<std::uint8_t>& bytes, std::size_t width) {
  for (auto value = bytes.begin(); value != bytes.end();
       value += static_cast<std::ptrdiff_t>(width)) {
    std::reverse(value, value + static_cast<std::ptrdiff_t>(width));
  }
}

void convert(Element element, const std::uint8_t* from, std::span<float> out) {
  to_floats(element, from, out);
}
void convert(Element element, const std::uint8_t* from, std::span<std::int64_t> out) {
  to_integers(element, from, out);
}

}  // namespace

Hdf5Dataset::Hdf5Dataset(std::string where, Hdf5Handle dataset, const FileBytes& file)
    : where_(std::move(where)),
      file_(file),
      dataset_(std::move(dataset)),
      type_(H5Dget_type(dataset_.id()), H5Tclose) {
  const Hdf5Handle space(H5Dget_space(dataset_.id()), H5Sclose);
  if (!type_.valid() || !space.valid()) fail(hdf5_reason());
  rank_ = H5Sget_simple_extent_ndims(space.id());
  if (rank_ != 1 && rank_ != 2) fail(fmt::format("has {} dimensions, not 1 or 2", rank_));
  hsize_t dims[2] = {0, 1};
  if (H5Sget_simple_extent_dims(space.id(), dims, nullptr) < 0) fail(hdf5_reason());
  rows_ = dims[0];
  cols_ = dims[1];
  check_type();
  check_size();
}

void Hdf5Dataset::fail(std::string_view reason) const {
  throw std::runtime_error(fmt::format("{}: {}", where_, reason));
}

void Hdf5Dataset::check_type() {
  number_ = stored_number(type_.id());
  if (!number_ && H5Tget_class(type_.id()) != H5T_STRING) {
    fail("holds neither strings nor floats or integers of a usual size");
  }
}

bool Hdf5Dataset::is_variable_text() const { return H5Tis_variable_str(type_.id()) > 0; }

void Hdf5Dataset::check_size() {
  width_ = is_variable_text() ? kHeapReferenceBytes : H5Tget_size(type_.id());
  std::size_t bytes = 0;
  if (!multiply(rows_, cols_, bytes) || !multiply(bytes, sizeof(double) * width_, bytes)) {
    fail(fmt::format("{} x {} values do not fit memory", rows_, cols_));
  }
  bytes = rows_ * cols_ * width_;
  const Hdf5Handle creation(H5Dget_create_plist(dataset_.id()), H5Pclose);
  const std::uint64_t present =
      std::min<std::uint64_t>(H5Dget_storage_size(dataset_.id()), file_.bytes.size());
  const bool packed = H5Pget_nfilters(creation.id()) > 0;
  if (bytes > present * (packed ? kMostCompression : 1)) {
    fail(fmt::format("claims {} bytes of values, but {} bytes are stored", bytes, present));
  }
  const std::size_t chunk_rows =
      H5Pget_layout(creation.id()) == H5D_CHUNKED ? check_chunks(creation) : 1;
  const std::size_t row_bytes = std::max<std::size_t>(cols_ * width_, 1);
  piece_rows_ = std::max<std::size_t>(kPieceBytes / row_bytes / chunk_rows, 1) * chunk_rows;
}

// Returns the rows of a chunk.
std::size_t Hdf5Dataset::check_chunks(const Hdf5Handle& creation) {
  hsize_t chunk[2] = {1, 1};
  if (H5Pget_chunk(creation.id(), 2, chunk) != rank_) fail("has chunks of another rank");
  std::size_t bytes = 0;
  if (!multiply(chunk[0], chunk[1], bytes) || !multiply(bytes, width_, bytes) || bytes == 0 ||
      bytes > kSmallChunkBytes + file_.bytes.size() * kMostCompression) {
    fail(fmt::format("chunks of {} x {} values do not fit the file", chunk[0], chunk[1]));
  }
  chunks_ = Hdf5Chunks::make(dataset_, creation, {rows_, cols_, chunk[0], chunk[1], width_, rank_});
  return chunk[0];
}

Hdf5Handle Hdf5Dataset::select(std::size_t first, std::size_t count, Hdf5Handle& memory) const {
  const hsize_t start[2] = {first, 0};
  const hsize_t extent[2] = {count, cols_};
  Hdf5Handle space(H5Dget_space(dataset_.id()), H5Sclose);
  memory = {H5Screate_simple(rank_, extent, nullptr), H5Sclose};
  if (!space.valid() || !memory.valid() ||
      H5Sselect_hyperslab(space.id(), H5S_SELECT_SET, start, nullptr, extent, nullptr) < 0) {
    fail(hdf5_reason());
  }
  return space;
}

// By the library, converting strings to references and nothing else.
void Hdf5Dataset::read_slab(std::size_t first, std::size_t count, void* out) const {
  Hdf5Handle memory;
  const Hdf5Handle space = select(first, count, memory);
  const Hdf5Handle reference = is_variable_text() ? heap_reference_type() : Hdf5Handle();
  if (H5Dread(dataset_.id(), reference.valid() ? reference.id() : type_.id(), memory.id(),
              space.id(), H5P_DEFAULT, out) < 0) {
    throw std::runtime_error(hdf5_reason());
  }
}

void Hdf5Dataset::read_stored(std::size_t first, std::size_t count, void* out) const {
  if (count == 0 || cols_ == 0) return;
  try {
    if (chunks_) {
      chunks_->read(first, count, static_cast<std::uint8_t*>(out));
    } else {
      read_slab(first, count, out);
    }
  } catch (const std::runtime_error& error) {
    fail(fmt::format("rows {} to {} cannot be read: {}", first, first + count - 1, error.what()));
  }
}

template <typename Value>
void Hdf5Dataset::read_values(std::size_t first, std::size_t count, Value* out) const {
  std::vector<std::uint8_t> bytes;
  for (const std::size_t end = first + count; first < end;) {
    const std::size_t stop = std::min(end, (first / piece_rows_ + 1) * piece_rows_);
    const std::size_t values = (stop - first) * cols_;
    bytes.resize(values * width_);
    read_stored(first, stop - first, bytes.data());
    if (number_->swapped) reverse_bytes(bytes, width_);
    convert(number_->element, bytes.data(), {out, values});
    out += values;
    first = stop;
  }
}

void Hdf5Dataset::check_rows(std::size_t first, std::size_t count) const {
  if (first > rows_ || count > rows_ - first) {
    throw std::invalid_argument(
        fmt::format("{}: rows {} + {} are beyond the {} it has", where_, first, count, rows_));
  }
}

void Hdf5Dataset::check_numbers() const {
  if (!number_) fail("holds strings, not numbers");
}

void Hdf5Dataset::read(std::size_t first, std::size_t count, float* out) const {
  const Hdf5Silence silence;
  check_rows(first, count);
  check_numbers();
  read_values(first, count, out);
}

void Hdf5Dataset::read(std::size_t first, std::size_t count, std::int64_t* out) const {
  const Hdf5Silence silence;
  check_rows(first, count);
  if (!number_ || !is_integer(number_->element)) fail("does not hold integers");
  read_values(first, count, out);
}

Matrix<float> Hdf5Dataset::read_floats() const {
  check_numbers();
  Matrix<float> all(rows_, cols_);
  read(0, rows_, all.values.data());
  return all;
}

Matrix<std::int64_t> Hdf5Dataset::read_integers() const {
  Matrix<std::int64_t> all(rows_, cols_);
  read(0, rows_, all.values.data());
  return all;
}

std::vector<std::string> Hdf5Dataset::read_strings() const {
  const Hdf5Silence silence;
  if (H5Tget_class(type_.id()) != H5T_STRING) fail("does not hold strings");
  if (rank_ != 1) fail("has 2 dimensions, not 1");
  if (rows_ == 0) return {};
  return is_variable_text() ? read_variable_strings() : read_fixed_strings();
}

std::vector<std::string> Hdf5Dataset::read_fixed_strings() const {
  std::vector<char> bytes(rows_ * width_);
  read_stored(0, rows_, bytes.data());
  std::vector<std::string> strings;
  strings.reserve(rows_);
  for (std::size_t i = 0; i < rows_; ++i) {
    const char* text = bytes.data() + i * width_;
    strings.emplace_back(text, ::strnlen(text, width_));
    if (H5Tget_strpad(type_.id()) == H5T_STR_SPACEPAD) {
      strings.back().erase(strings.back().find_last_not_of(' ') + 1);
    }
  }
  return strings;
}

std::vector<std::string> Hdf5Dataset::read_variable_strings() const {
  std::vector<std::uint8_t> references(rows_ * kHeapReferenceBytes);
  read_stored(0, rows_, references.data());
  Hdf5Heap heap(file_, Hdf5Handle(H5Iget_file_id(dataset_.id()), H5Fclose));
  std::vector<std::string> strings;
  strings.reserve(rows_);
  for (std::size_t i = 0; i < rows_; ++i) {
    strings.push_back(heap.text(references.data() + i * kHeapReferenceBytes));
  }
  return strings;
}

}  // namespace obliq::datasets
