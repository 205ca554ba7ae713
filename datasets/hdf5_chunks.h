// Rows of a chunked dataset in a classic HDF5 file: an index of chunks in a B-tree, each chunk
// packed by shuffle and deflate as h5py does, or not at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "datasets/hdf5_container.h"

namespace obliq::datasets {

/// Keeps the rows of the last row of chunks unpacked, so that reading them one by one unpacks once.
class ChunkedRows final : public StoredRows {
 public:
  /// Reads the index. `dataset` has its shape, type and file, which must stay. Throws
  /// std::runtime_error.
  ChunkedRows(const StoredDataset& dataset, const StoredLayout& layout,
              std::vector<Filter> filters);

  void read(std::size_t first, std::size_t count, std::uint8_t* out) override;

 private:
  struct Chunk {
    std::uint64_t address;
    std::uint32_t bytes;
    std::uint32_t skipped;  ///< filters that were not used, a bit each
  };
  using Bytes = std::vector<std::uint8_t>;

  void add_tree(std::uint64_t address, unsigned above);
  void add_chunk(Cursor& node);
  void load_band(std::size_t band);
  Bytes load_chunk(std::size_t row, std::size_t col) const;

  const AddressedFile& file_;
  std::size_t rows_;
  std::size_t cols_;
  std::size_t rank_;
  std::size_t width_;
  std::size_t chunk_rows_;
  std::size_t chunk_cols_;
  std::size_t chunk_bytes_ = 0;
  std::vector<Filter> filters_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, Chunk> chunks_;  // by first row and column
  std::size_t seen_ = 0;                                             // entries of the tree
  Bytes band_bytes_;                                                 // of one row of chunks
  std::size_t band_ = SIZE_MAX;
};

}  // namespace obliq::datasets
