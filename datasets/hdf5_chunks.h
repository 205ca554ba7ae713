// Chunks of an HDF5 dataset, unpacked here: the library trusts that a packed chunk unpacks to its
// full size, and reads beyond the end of one that does not. Filters known: shuffle and deflate,
// which h5py writes; others are the library's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "datasets/hdf5_handle.h"

namespace obliq::datasets {

/// What is stored: rows x cols values of `width` bytes, in chunks of chunk_rows x chunk_cols.
struct ChunkShape {
  std::size_t rows;
  std::size_t cols;
  std::size_t chunk_rows;
  std::size_t chunk_cols;
  std::size_t width;
  int rank;
};

/// Reads rows of a packed dataset. Keeps the rows of the last chunks unpacked.
class Hdf5Chunks {
 public:
  /// Nothing when the dataset has no filters or others than the two. `creation` are its
  /// properties. The dataset must live longer.
  static std::unique_ptr<Hdf5Chunks> make(const Hdf5Handle& dataset, const Hdf5Handle& creation,
                                          const ChunkShape& shape);

  /// Writes rows [first, first + count) as stored. Throws std::runtime_error with the reason only.
  void read(std::size_t first, std::size_t count, std::uint8_t* out);

 private:
  struct Filter {
    H5Z_filter_t id;
    std::size_t width;  ///< shuffle: bytes of a value
  };
  using Bytes = std::vector<std::uint8_t>;

  Hdf5Chunks(hid_t dataset, const ChunkShape& shape) : dataset_(dataset), shape_(shape) {}
  std::size_t chunk_bytes() const;
  void load_band(std::size_t band);
  Bytes load_chunk(std::size_t row, std::size_t col) const;

  hid_t dataset_;
  ChunkShape shape_;
  std::vector<Filter> filters_;  // in the order of writing
  Bytes band_bytes_;             // the rows of one row of chunks
  std::size_t band_ = SIZE_MAX;
};

}  // namespace obliq::datasets
