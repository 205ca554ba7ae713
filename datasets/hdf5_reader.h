// Reading HDF5 files: two-dimensional datasets in hyperslabs, strings, attributes.
//
// A damaged file gives std::runtime_error "path: dataset 'name': reason". HDF5 knows no offsets at
// its interface, so none is given. Before anything is allocated the claimed size is compared with
// the bytes that the file stores for the dataset.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/hdf5_chunks.h"
#include "datasets/hdf5_handle.h"
#include "datasets/hdf5_type.h"
#include "datasets/mapped_file.h"
#include "obliq/matrix_view.h"

namespace obliq::datasets {

/// One open dataset, of one or two dimensions. A single dimension is one column. Its file must live
/// longer.
class Hdf5Dataset {
 public:
  Hdf5Dataset(std::string where, Hdf5Handle dataset, const FileBytes& file);

  std::size_t rows() const { return rows_; }
  std::size_t cols() const { return cols_; }
  /// Reads rows [first, first + count) of numbers, converted. Halves are widened exactly.
  void read(std::size_t first, std::size_t count, float* out) const;
  void read(std::size_t first, std::size_t count, std::int64_t* out) const;
  /// All strings of a one-dimensional dataset, of fixed or variable length.
  std::vector<std::string> read_strings() const;
  /// All rows.
  Matrix<float> read_floats() const;
  Matrix<std::int64_t> read_integers() const;

 private:
  [[noreturn]] void fail(std::string_view reason) const;
  void check_type();
  void check_size();
  bool is_variable_text() const;
  std::size_t check_chunks(const Hdf5Handle& creation);
  Hdf5Handle select(std::size_t first, std::size_t count, Hdf5Handle& memory) const;
  void read_slab(std::size_t first, std::size_t count, void* out) const;
  void read_stored(std::size_t first, std::size_t count, void* out) const;
  template <typename Value>
  void read_values(std::size_t first, std::size_t count, Value* out) const;
  void check_rows(std::size_t first, std::size_t count) const;
  void check_numbers() const;
  std::vector<std::string> read_fixed_strings() const;
  std::vector<std::string> read_variable_strings() const;

  std::string where_;
  FileBytes file_;
  Hdf5Handle dataset_;
  Hdf5Handle type_;
  std::size_t rows_ = 0;
  std::size_t cols_ = 1;
  std::size_t width_ = 0;       // bytes of a stored value
  std::size_t piece_rows_ = 1;  // rows converted at a time: of some chunks, about a megabyte
  int rank_ = 0;
  std::optional<StoredNumber> number_;  // nothing: strings
  std::unique_ptr<Hdf5Chunks> chunks_;  // packed chunks that are unpacked here
};

/// An open file.
class Hdf5Reader {
 public:
  /// Throws std::system_error when the file cannot be read, std::runtime_error when it is not HDF5
  /// or cut short.
  explicit Hdf5Reader(const std::string& path);
  /// Opens a file that lies in memory, and must stay there.
  explicit Hdf5Reader(const FileBytes& file);

  const std::string& path() const { return bytes_.name; }
  bool has(const std::string& dataset) const;
  /// Throws std::runtime_error when there is no such dataset or its shape is not ours.
  Hdf5Dataset dataset(const std::string& name) const;
  /// A string attribute of the file; nothing when there is none or it is not a string.
  std::optional<std::string> text_attribute(const std::string& name) const;

 private:
  void open(const Hdf5Handle& access);

  std::unique_ptr<const MappedFile> map_;  ///< empty when the bytes are another's
  FileBytes bytes_;
  Hdf5Handle file_;
};

}  // namespace obliq::datasets
