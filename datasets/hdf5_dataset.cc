// Values are read as they are stored and converted here: HDF5's own conversion takes IEEE halves,
// numpy's float16, bit by bit. Byte order alone is left to the library.
#include <fmt/format.h>
#include <hdf5.h>

#include <algorithm>
#include <span>
#include <stdexcept>
#include <type_traits>

#include "datasets/element.h"
#include "datasets/file_bytes.h"
#include "datasets/hdf5_filters.h"
#include "datasets/hdf5_names.h"
#include "datasets/hdf5_reader.h"
#include "datasets/hdf5_text.h"
#include "datasets/hdf5_type.h"

namespace obliq::datasets {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{1} << 20;
// deflate shrinks at most by 1032; what claims to be much smaller than this does not hold data.
constexpr std::uint64_t kMostCompression = 1100;

void convert(Element element, const std::uint8_t* from, std::span<float> out) {
  to_floats(element, from, out);
}
void convert(Element element, const std::uint8_t* from, std::span<double> out) {
  to_doubles(element, from, out);
}
void convert(Element element, const std::uint8_t* from, std::span<std::int64_t> out) {
  to_integers(element, from, out);
}

// The cache holds chunks of some megabytes, so that neighbouring reads unpack a chunk once.
Hdf5Handle dataset_access() {
  constexpr std::size_t kCacheSlots = 12421;
  constexpr std::size_t kCacheBytes = std::size_t{64} << 20;
  Hdf5Handle access(H5Pcreate(H5P_DATASET_ACCESS), H5Pclose);
  H5Pset_chunk_cache(access.id(), kCacheSlots, kCacheBytes, 1.0);
  return access;
}

}  // namespace

Hdf5Dataset::Hdf5Dataset(const Hdf5Handle& file, const std::string& path, const std::string& name)
    : label_(fmt::format("{}: dataset '{}'", path, name)) {
  const Hdf5Silence silence;
  if (is_group(file, name)) {
    unfit(fmt::format("is a group and no dataset; it holds {}", names_in(file, name)));
  }
  if (H5Lexists(file.id(), name.c_str(), H5P_DEFAULT) <= 0) {
    const std::string group = group_above(name);
    unfit(is_group(file, group)
              ? fmt::format("is not in the file; '{}' holds {}", group, names_in(file, group))
              : fmt::format("is not in the file; '/' holds {}", names_in(file, "/")));
  }
  const Hdf5Handle access = dataset_access();
  dataset_ = {H5Dopen2(file.id(), name.c_str(), access.id()), H5Dclose};
  if (!dataset_.valid()) fail(hdf5_reason());
  set_type();
  set_shape(file);
}

void Hdf5Dataset::set_type() {
  Hdf5Handle stored(H5Dget_type(dataset_.id()), H5Tclose);
  if (auto number = number_type(stored)) {
    element_ = number->element;
    type_ = std::move(number->memory);
  } else if (is_truth_type(stored)) {
    element_ = Element::i8;
    is_bool_ = true;
    type_ = std::move(stored);
  } else if (obliq::datasets::is_text(stored)) {
    type_ = std::move(stored);
  } else {
    unfit("holds neither numbers of 1, 2, 4 or 8 bytes nor strings");
  }
}

void Hdf5Dataset::set_shape(const Hdf5Handle& file) {
  const Hdf5Handle space(H5Dget_space(dataset_.id()), H5Sclose);
  const Hdf5Handle creation(H5Dget_create_plist(dataset_.id()), H5Pclose);
  rank_ = H5Sget_simple_extent_ndims(space.id());
  if (rank_ != 1 && rank_ != 2) unfit(fmt::format("has {} dimensions, not 1 or 2", rank_));
  hsize_t dims[2] = {0, 1};
  H5Sget_simple_extent_dims(space.id(), dims, nullptr);
  rows_ = dims[0];
  cols_ = dims[1];
  check_shape();
  const std::size_t width = H5Tget_size(type_.id());
  std::size_t bytes = 0;
  std::size_t in_memory = 0;
  if (!multiply(rows_, cols_, bytes) || !multiply(bytes, width, bytes) ||
      !multiply(bytes, sizeof(double), in_memory)) {
    fail(fmt::format("{} x {} values do not fit memory", rows_, cols_));
  }
  hsize_t whole = 0;
  H5Fget_filesize(file.id(), &whole);
  file_bytes_ = whole;
  const hsize_t present = std::min(whole, H5Dget_storage_size(dataset_.id()));
  const bool packed = H5Pget_nfilters(creation.id()) > 0;
  if (bytes > present * (packed ? kMostCompression : 1)) {
    fail(fmt::format("claims {} bytes of values, but {} bytes are stored", bytes, present));
  }
  hsize_t chunk[2] = {1, 1};
  if (H5Pget_layout(creation.id()) == H5D_CHUNKED) H5Pget_chunk(creation.id(), rank_, chunk);
  const std::size_t row_bytes = std::max<std::size_t>(cols_ * width, 1);
  piece_rows_ = chunk[0] * std::max<std::size_t>(kPieceBytes / row_bytes / chunk[0], 1);
}

// A product of extents is no bound for each of them where the other is 0.
void Hdf5Dataset::check_shape() const {
  if (cols_ == 0 && rows_ > 0) fail(fmt::format("has {} rows without values", rows_));
  if (cols_ > kMostColumns) {
    fail(fmt::format("has rows of {} values, at most {} are read", cols_, kMostColumns));
  }
}

void Hdf5Dataset::fail(std::string_view reason) const {
  throw std::runtime_error(fmt::format("{}: {}", label_, reason));
}

void Hdf5Dataset::unfit(std::string_view reason) const {
  throw std::invalid_argument(fmt::format("{}: {}", label_, reason));
}

void Hdf5Dataset::check_rows(std::size_t first, std::size_t count) const {
  if (first > rows() || count > rows() - first) {
    throw std::invalid_argument(
        fmt::format("{}: rows {} + {} are beyond the {} it has", label_, first, count, rows()));
  }
}

void Hdf5Dataset::check_numbers() const {
  if (!element_) unfit("holds strings, not numbers");
  if (is_bool_) unfit("holds truth values, not numbers");
}

void Hdf5Dataset::check_integers() const {
  if (!is_integral()) unfit("does not hold integers");
}

void Hdf5Dataset::read_stored(std::size_t first, std::size_t count, void* out) const {
  if (count == 0 || cols() == 0) return;
  const Hdf5Silence silence;
  const hsize_t start[2] = {first, 0};
  const hsize_t extent[2] = {count, cols()};
  const Hdf5Handle space(H5Dget_space(dataset_.id()), H5Sclose);
  const Hdf5Handle memory(H5Screate_simple(rank_, extent, nullptr), H5Sclose);
  if (H5Sselect_hyperslab(space.id(), H5S_SELECT_SET, start, nullptr, extent, nullptr) < 0 ||
      H5Dread(dataset_.id(), type_.id(), memory.id(), space.id(), H5P_DEFAULT, out) < 0) {
    const std::string reason = hdf5_reason();
    fail_reading(fmt::format("rows {} + {}", first, count), reason);
  }
}

void Hdf5Dataset::fail_reading(std::string_view what, std::string_view reason) const {
  if (const std::string missing = missing_filters(dataset_); !missing.empty()) {
    unfit(
        fmt::format("{} cannot be read: packed by {}, which this build of HDF5 lacks; write it "
                    "with compression='gzip' or none, or name a folder with the filter's plugin "
                    "in HDF5_PLUGIN_PATH",
                    what, missing));
  }
  const std::string filters = all_filters(dataset_);
  fail(fmt::format(
      "{} cannot be read: {}{}", what, reason,
      filters.empty() ? "" : fmt::format(" (filters: {}); get the file again", filters)));
}

template <typename Value>
void Hdf5Dataset::read_values(std::size_t first, std::size_t count, Value* out,
                              [[maybe_unused]] Rounding rounding) const {
  std::vector<std::uint8_t> bytes;
  for (const std::size_t end = first + count; first < end;) {
    const std::size_t stop = std::min(end, (first / piece_rows_ + 1) * piece_rows_);
    const std::size_t values = (stop - first) * cols();
    bytes.resize(values * element_bytes(*element_));
    read_stored(first, stop - first, bytes.data());
    convert(*element_, bytes.data(), {out, values});
    if constexpr (std::is_same_v<Value, float>) {
      if (rounding == Rounding::refused) require_held(first, bytes, {out, values});
    }
    out += values;
    first = stop;
  }
}

void Hdf5Dataset::require_held(std::size_t first, const std::vector<std::uint8_t>& bytes,
                               std::span<const float> floats) const {
  const std::size_t held = held_by_floats(*element_, bytes.data(), floats);
  if (held == floats.size()) return;
  unfit(unheld_text(first + held / cols(), *element_,
                    bytes.data() + held * element_bytes(*element_)));
}

void Hdf5Dataset::read(std::size_t first, std::size_t count, float* out, Rounding rounding) const {
  check_rows(first, count);
  check_numbers();
  if (*element_ == Element::f32) {
    read_stored(first, count, out);
  } else {
    read_values(first, count, out, rounding);
  }
}

void Hdf5Dataset::read(std::size_t first, std::size_t count, std::int64_t* out) const {
  check_rows(first, count);
  check_integers();
  read_values(first, count, out, Rounding::refused);
}

void Hdf5Dataset::require_matrix() const {
  check_numbers();
  if (rank_ == 2) return;
  unfit(
      fmt::format("vectors are an array [n][dim], not one axis of {} values; write x.reshape(n, "
                  "dim)",
                  rows()));
}

Matrix<float> Hdf5Dataset::read_floats(Rounding rounding) const {
  check_numbers();
  Matrix<float> all(rows(), cols());
  read(0, rows(), all.values.data(), rounding);
  return all;
}

Matrix<std::int64_t> Hdf5Dataset::read_integers() const {
  check_integers();
  Matrix<std::int64_t> all(rows(), cols());
  read(0, rows(), all.values.data());
  return all;
}

std::vector<std::int64_t> Hdf5Dataset::read_whole() const {
  check_integers();
  std::vector<std::int64_t> all(rows() * cols());
  read_values(0, rows(), all.data(), Rounding::refused);
  const std::size_t fault = *element_ == Element::u64 ? first_negative(all) : all.size();
  if (fault == all.size()) return all;
  unfit(fmt::format("row {} holds {}, which int64 does not hold", fault / cols(),
                    static_cast<std::uint64_t>(all[fault])));
}

std::vector<double> Hdf5Dataset::read_doubles() const {
  check_numbers();
  std::vector<double> all(rows() * cols());
  read_values(0, rows(), all.data(), Rounding::allowed);
  return all;
}

std::vector<bool> Hdf5Dataset::read_bools() const {
  if (!is_bool_) unfit("does not hold truth values");
  std::vector<std::uint8_t> bytes(rows() * cols());
  read_stored(0, rows(), bytes.data());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] > 1) fail(fmt::format("row {} holds {}, not 0 or 1", i, unsigned{bytes[i]}));
  }
  return {bytes.begin(), bytes.end()};
}

std::vector<std::string> Hdf5Dataset::read_strings() const {
  if (element_) unfit("does not hold strings");
  if (rank_ != 1) unfit("has 2 dimensions, not 1");
  const Hdf5Silence silence;
  const Hdf5Handle space(H5Dget_space(dataset_.id()), H5Sclose);
  hsize_t bytes = 0;  // of strings of variable length, of which many may be one in the file
  const bool variable = rows() > 0 && H5Tis_variable_str(type_.id()) > 0;
  if (variable && H5Dvlen_get_buf_size(dataset_.id(), type_.id(), space.id(), &bytes) < 0) {
    fail_reading("strings", hdf5_reason());
  }
  if (bytes > file_bytes_) {
    fail(fmt::format("claims {} bytes of strings, but the file has {}", bytes, file_bytes_));
  }
  return read_texts(type_, space, rows(), [&](void* out) { read_stored(0, rows(), out); });
}

}  // namespace obliq::datasets
