// Reading HDF5 files: datasets of numbers in rows, strings, attributes.
//
// A damaged file gives std::runtime_error "path: dataset 'name': at offset n: reason". Before
// anything is allocated the claimed size is compared with the bytes that the file has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/hdf5_container.h"
#include "datasets/mapped_file.h"
#include "obliq/matrix_view.h"

namespace obliq::datasets {

/// One open dataset, of one or two dimensions. A single dimension is one column. Its file must live
/// longer.
class Hdf5Dataset {
 public:
  explicit Hdf5Dataset(StoredDataset dataset);

  std::size_t rows() const { return dataset_.rows; }
  std::size_t cols() const { return dataset_.cols; }
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
  void check_rows(std::size_t first, std::size_t count) const;
  void check_numbers() const;
  void check_integers() const;
  void read_stored(std::size_t first, std::size_t count, std::uint8_t* out) const;
  template <typename Value>
  void read_values(std::size_t first, std::size_t count, Value* out) const;

  StoredDataset dataset_;
  std::size_t piece_rows_;  // rows converted at a time: of some chunks, about a megabyte
};

/// An open file.
class Hdf5Reader {
 public:
  /// Throws std::system_error when the file cannot be read, std::runtime_error when it is not HDF5
  /// or cut short.
  explicit Hdf5Reader(const std::string& path);
  /// Opens a file that lies in memory, and must stay there.
  explicit Hdf5Reader(const FileBytes& file);

  const std::string& path() const { return path_; }
  bool has(const std::string& dataset) const { return container_->has(dataset); }
  /// Throws std::runtime_error when there is no such dataset or its shape is not ours.
  Hdf5Dataset dataset(const std::string& name) const { return Hdf5Dataset(container_->open(name)); }
  /// A string attribute of the file; nothing when there is none or it is not a string.
  std::optional<std::string> text_attribute(const std::string& name) const {
    return container_->text_attribute(name);
  }

 private:
  std::string path_;
  std::unique_ptr<const MappedFile> map_;  // empty when the bytes are another's
  std::unique_ptr<Hdf5Container> container_;
};

}  // namespace obliq::datasets
