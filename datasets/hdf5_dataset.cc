// Datasets of numbers and strings. IEEE halves, which numpy calls float16, are read as they are
// and widened here: HDF5's own conversion of custom float types works bit by bit.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <stdexcept>

#include "datasets/file_error.h"
#include "datasets/hdf5_reader.h"
#include "datasets/hdf5_strings.h"
#include "quant/half.h"

namespace obliq::datasets {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{1} << 20;
// deflate shrinks at most by 1032; what claims to be much smaller than this does not hold data.
constexpr std::uint64_t kMostCompression = 1100;
constexpr std::size_t kSmallChunkBytes = std::size_t{1} << 20;

bool is_half(hid_t type) {
  std::size_t sign = 0;
  std::size_t exponent = 0;
  std::size_t exponent_bits = 0;
  std::size_t mantissa = 0;
  std::size_t mantissa_bits = 0;
  return H5Tget_class(type) == H5T_FLOAT && H5Tget_size(type) == 2 &&
         H5Tget_order(type) == H5T_ORDER_LE && H5Tget_ebias(type) == 15 &&
         H5Tget_norm(type) == H5T_NORM_IMPLIED &&
         H5Tget_fields(type, &sign, &exponent, &exponent_bits, &mantissa, &mantissa_bits) >= 0 &&
         sign == 15 && exponent == 10 && exponent_bits == 5 && mantissa == 0 && mantissa_bits == 10;
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

void Hdf5Dataset::check_type() const {
  const H5T_class_t kind = H5Tget_class(type_.id());
  if (kind == H5T_STRING) return;
  if (kind != H5T_FLOAT && kind != H5T_INTEGER) fail("holds neither numbers nor strings");
  if (H5Tget_size(type_.id()) > 8) fail("holds numbers of more than 8 bytes");
}

// Also learns the chunk shape, from which the pieces of read_halves follow.
void Hdf5Dataset::check_size() {
  const std::uint64_t file_bytes = file_.bytes.size();
  const std::size_t width = H5Tget_size(type_.id());
  std::size_t bytes = 0;
  if (!multiply(rows_, cols_, bytes) || !multiply(bytes, sizeof(double) * width, bytes)) {
    fail(fmt::format("{} x {} values do not fit memory", rows_, cols_));
  }
  bytes = rows_ * cols_ * width;
  const Hdf5Handle creation(H5Dget_create_plist(dataset_.id()), H5Pclose);
  const std::uint64_t present =
      std::min<std::uint64_t>(H5Dget_storage_size(dataset_.id()), file_bytes);
  const bool packed = H5Pget_nfilters(creation.id()) > 0;
  if (bytes > present * (packed ? kMostCompression : 1)) {
    fail(fmt::format("claims {} bytes of values, but {} bytes are stored", bytes, present));
  }
  std::size_t chunk_rows = 1;
  if (H5Pget_layout(creation.id()) == H5D_CHUNKED) {
    hsize_t chunk[2] = {1, 1};
    if (H5Pget_chunk(creation.id(), 2, chunk) != rank_) fail("has chunks of another rank");
    std::size_t chunk_bytes = 0;
    if (!multiply(chunk[0], chunk[1], chunk_bytes) || !multiply(chunk_bytes, width, chunk_bytes) ||
        chunk_bytes > kSmallChunkBytes + file_bytes * kMostCompression) {
      fail(fmt::format("chunks of {} x {} values are larger than the file", chunk[0], chunk[1]));
    }
    chunk_rows = chunk[0];
  }
  const std::size_t row_bytes = std::max<std::size_t>(cols_ * width, 1);
  piece_rows_ = std::max<std::size_t>(kPieceBytes / row_bytes / chunk_rows, 1) * chunk_rows;
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

void Hdf5Dataset::read_slab(std::size_t first, std::size_t count, hid_t type, void* out) const {
  if (count == 0 || cols_ == 0) return;
  Hdf5Handle memory;
  const Hdf5Handle space = select(first, count, memory);
  if (H5Dread(dataset_.id(), type, memory.id(), space.id(), H5P_DEFAULT, out) < 0) {
    fail(fmt::format("rows {} to {} cannot be read: {}", first, first + count - 1, hdf5_reason()));
  }
}

void Hdf5Dataset::check_rows(std::size_t first, std::size_t count) const {
  if (first > rows_ || count > rows_ - first) {
    throw std::invalid_argument(
        fmt::format("{}: rows {} + {} are beyond the {} it has", where_, first, count, rows_));
  }
}

void Hdf5Dataset::check_numbers() const {
  if (H5Tget_class(type_.id()) == H5T_STRING) fail("holds strings, not numbers");
}

void Hdf5Dataset::read_halves(std::size_t first, std::size_t count, float* out) const {
  std::vector<std::uint16_t> halves;
  for (const std::size_t end = first + count; first < end;) {
    const std::size_t stop = std::min(end, (first / piece_rows_ + 1) * piece_rows_);
    halves.resize((stop - first) * cols_);
    read_slab(first, stop - first, type_.id(), halves.data());
    out = std::transform(halves.begin(), halves.end(), out, half_to_float);
    first = stop;
  }
}

void Hdf5Dataset::read(std::size_t first, std::size_t count, float* out) const {
  const Hdf5Silence silence;
  check_rows(first, count);
  check_numbers();
  if (is_half(type_.id())) {
    read_halves(first, count, out);
  } else {
    read_slab(first, count, H5T_NATIVE_FLOAT, out);
  }
}

void Hdf5Dataset::read(std::size_t first, std::size_t count, std::int64_t* out) const {
  const Hdf5Silence silence;
  check_rows(first, count);
  if (H5Tget_class(type_.id()) != H5T_INTEGER) fail("does not hold integers");
  read_slab(first, count, H5T_NATIVE_INT64, out);
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
  return H5Tis_variable_str(type_.id()) > 0 ? read_variable_strings() : read_fixed_strings();
}

std::vector<std::string> Hdf5Dataset::read_fixed_strings() const {
  const std::size_t width = H5Tget_size(type_.id());
  std::vector<char> bytes(rows_ * width);
  read_slab(0, rows_, type_.id(), bytes.data());
  std::vector<std::string> strings;
  strings.reserve(rows_);
  for (std::size_t i = 0; i < rows_; ++i) {
    const char* text = bytes.data() + i * width;
    strings.emplace_back(text, ::strnlen(text, width));
    if (H5Tget_strpad(type_.id()) == H5T_STR_SPACEPAD) {
      strings.back().erase(strings.back().find_last_not_of(' ') + 1);
    }
  }
  return strings;
}

std::vector<std::string> Hdf5Dataset::read_variable_strings() const {
  std::vector<std::uint8_t> references(rows_ * kHeapReferenceBytes);
  read_slab(0, rows_, heap_reference_type().id(), references.data());
  Hdf5Heap heap(file_, Hdf5Handle(H5Iget_file_id(dataset_.id()), H5Fclose));
  std::vector<std::string> strings;
  strings.reserve(rows_);
  for (std::size_t i = 0; i < rows_; ++i) {
    strings.push_back(heap.text(references.data() + i * kHeapReferenceBytes));
  }
  return strings;
}

}  // namespace obliq::datasets
