// What a reader of HDF5 files offers, whoever reads: our own code for classic files, the HDF5
// library for newer ones, whose metadata carries checksums that the library checks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "datasets/hdf5_message.h"
#include "datasets/hdf5_object.h"

namespace obliq::datasets {

/// Rows of a dataset as they are stored.
class StoredRows {
 public:
  virtual ~StoredRows() = default;
  /// Writes rows [first, first + count), all of which exist. Throws std::runtime_error.
  virtual void read(std::size_t first, std::size_t count, std::uint8_t* out) = 0;
};

/// A dataset of one or two dimensions; one dimension is one column.
struct StoredDataset {
  std::size_t rows = 0;
  std::size_t cols = 1;
  int rank = 0;
  StoredType type;
  std::size_t chunk_rows = 1;  ///< rows that are best read together
  std::unique_ptr<StoredRows> values;
  /// The file, under the name "path: dataset 'name'".
  std::unique_ptr<const AddressedFile> file;
};

/// An open file.
class Hdf5Container {
 public:
  virtual ~Hdf5Container() = default;
  virtual bool has(const std::string& dataset) const = 0;
  /// Throws std::runtime_error "path: dataset 'name': reason".
  virtual StoredDataset open(const std::string& dataset) const = 0;
  virtual std::optional<std::string> text_attribute(const std::string& name) const = 0;
};

/// Sets shape and type after checking that the values fit memory and, packed or not, may be in the
/// bytes `present`. Throws std::runtime_error.
void set_shape(StoredDataset& dataset, const std::vector<std::uint64_t>& dims,
               const StoredType& type, std::uint64_t present, bool packed);

/// A fixed text without its padding.
std::string trimmed(const std::uint8_t* text, const StoredType& type);

/// Opens a classic file; nullptr when it is a newer one. The bytes must stay.
std::unique_ptr<Hdf5Container> open_classic(const FileBytes& file);

/// Opens any file with the library: the one at file.name, or the bytes alone.
enum class LibraryReads { path, bytes };
std::unique_ptr<Hdf5Container> open_by_library(const FileBytes& file, LibraryReads reads);

}  // namespace obliq::datasets
