// Reading HDF5 files with the HDF5 library: datasets of numbers in rows, strings, attributes.
//
// A damaged file gives std::runtime_error "path: dataset 'name': reason", where the reason is the
// library's own; a sound one without the dataset, or with one of another kind, gives
// std::invalid_argument worded alike. The files are their user's: the library is trusted with
// them, but the size that a dataset claims is compared with the bytes that the file has before
// anything is allocated. Not for two threads at once, as not every build of the library allows it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/element.h"
#include "datasets/hdf5_handle.h"
#include "obliq/matrix_view.h"

namespace obliq::datasets {

/// Whether numbers of a wide type that float32 cannot hold are refused (see held_by_floats).
enum class Rounding : std::uint8_t { refused, allowed };

/// One open dataset, of one or two dimensions. A single dimension is one column.
class Hdf5Dataset {
 public:
  /// Opens `name`, which may be "group/dataset", in the open file `file` of `path`. Throws
  /// std::invalid_argument when there is no such dataset or its rank or type is not ours.
  Hdf5Dataset(const Hdf5Handle& file, const std::string& path, const std::string& name);

  std::size_t rows() const { return rows_; }
  std::size_t cols() const { return cols_; }
  /// Throws std::invalid_argument unless the dataset has numbers in two dimensions, as vectors.
  void require_matrix() const;
  /// Reads rows [first, first + count) of numbers, converted. Halves are widened exactly. Throws
  /// std::invalid_argument naming the row and value of what float32 cannot hold.
  void read(std::size_t first, std::size_t count, float* out,
            Rounding rounding = Rounding::refused) const;
  void read(std::size_t first, std::size_t count, std::int64_t* out) const;
  bool is_text() const { return !element_; }
  /// Whether it holds what h5py makes of NumPy's bool, which is no number.
  bool is_bool() const { return is_bool_; }
  bool is_integral() const { return element_ && !is_bool_ && is_integer(*element_); }
  /// All values of one column, as they are. read_whole throws std::invalid_argument naming the row
  /// of a uint64 that int64 does not hold.
  std::vector<std::int64_t> read_whole() const;
  std::vector<double> read_doubles() const;
  std::vector<bool> read_bools() const;
  /// All strings of a one-dimensional dataset, of fixed or variable length.
  std::vector<std::string> read_strings() const;
  /// All rows.
  Matrix<float> read_floats(Rounding rounding = Rounding::refused) const;
  Matrix<std::int64_t> read_integers() const;

 private:
  [[noreturn]] void fail(std::string_view reason) const;
  [[noreturn]] void unfit(std::string_view reason) const;
  [[noreturn]] void fail_reading(std::string_view what, std::string_view reason) const;
  void set_type();
  void set_shape(const Hdf5Handle& file);
  void check_shape() const;
  void check_rows(std::size_t first, std::size_t count) const;
  void check_numbers() const;
  void check_integers() const;
  void read_stored(std::size_t first, std::size_t count, void* out) const;
  template <typename Value>
  void read_values(std::size_t first, std::size_t count, Value* out, Rounding rounding) const;
  void require_held(std::size_t first, const std::vector<std::uint8_t>& bytes,
                    std::span<const float> floats) const;

  std::string label_;  // "path: dataset 'name'"
  Hdf5Handle dataset_;
  Hdf5Handle type_;                 // of values in memory
  std::optional<Element> element_;  // nothing: strings
  bool is_bool_ = false;
  int rank_ = 0;
  std::size_t rows_ = 0;
  std::size_t cols_ = 1;
  std::size_t file_bytes_ = 0;
  std::size_t piece_rows_ = 1;  // rows converted at a time: of some chunks, about a megabyte
};

/// An open file.
class Hdf5Reader {
 public:
  /// Throws std::system_error when the file cannot be read, std::runtime_error when it is not HDF5
  /// or cut short.
  explicit Hdf5Reader(const std::string& path);

  const std::string& path() const { return path_; }
  bool has(const std::string& dataset) const;
  Hdf5Dataset dataset(const std::string& name) const { return {file_, path_, name}; }
  /// A string attribute of a group of the file; nothing when there is none or it is not a string.
  std::optional<std::string> text_attribute(const std::string& name,
                                            const std::string& group = "/") const;

 private:
  std::string path_;
  Hdf5Handle file_;
};

}  // namespace obliq::datasets
