// A chunk comes as it lies in the file, and is unpacked against the order of writing.
#include "datasets/hdf5_chunks.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <stdexcept>

namespace obliq::datasets {
namespace {

// Inflates to at most `room` bytes; more is an error, less for the caller to see.
std::vector<std::uint8_t> inflate(const std::vector<std::uint8_t>& packed, std::size_t room) {
  std::vector<std::uint8_t> bytes(room);
  auto length = static_cast<uLongf>(room);
  const int status =
      ::uncompress(bytes.data(), &length, packed.data(), static_cast<uLong>(packed.size()));
  if (status != Z_OK) throw std::runtime_error("a packed chunk is damaged");
  bytes.resize(length);
  return bytes;
}

// Shuffled: first the first bytes of all values, then the second ones, and so on.
std::vector<std::uint8_t> unshuffle(const std::vector<std::uint8_t>& bytes, std::size_t width) {
  const std::size_t values = bytes.size() / width;
  std::vector<std::uint8_t> whole(bytes);
  for (std::size_t b = 0; b < width; ++b) {
    const std::uint8_t* from = bytes.data() + b * values;
    for (std::size_t i = 0; i < values; ++i) whole[i * width + b] = from[i];
  }
  return whole;
}

}  // namespace

std::unique_ptr<Hdf5Chunks> Hdf5Chunks::make(const Hdf5Handle& dataset, const Hdf5Handle& creation,
                                             const ChunkShape& shape) {
  const int count = H5Pget_nfilters(creation.id());
  if (count <= 0) return nullptr;
  auto chunks = std::make_unique<Hdf5Chunks>(Hdf5Chunks(dataset.id(), shape));
  for (int i = 0; i < count; ++i) {
    unsigned flags = 0;
    unsigned values[1] = {0};
    std::size_t value_count = 1;
    const H5Z_filter_t id = H5Pget_filter2(creation.id(), static_cast<unsigned>(i), &flags,
                                           &value_count, values, 0, nullptr, nullptr);
    const bool shuffle = id == H5Z_FILTER_SHUFFLE && value_count >= 1 && values[0] > 0;
    if (!shuffle && id != H5Z_FILTER_DEFLATE) return nullptr;
    chunks->filters_.push_back({id, values[0]});
  }
  return chunks;
}

std::size_t Hdf5Chunks::chunk_bytes() const {
  return shape_.chunk_rows * shape_.chunk_cols * shape_.width;
}

Hdf5Chunks::Bytes Hdf5Chunks::load_chunk(std::size_t row, std::size_t col) const {
  const hsize_t offset[2] = {row, col};
  hsize_t stored = 0;
  if (H5Dget_chunk_storage_size(dataset_, offset, &stored) < 0 || stored == 0) {
    throw std::runtime_error("a chunk is missing");
  }
  // deflate may add some bytes to what it cannot pack.
  if (stored > 2 * chunk_bytes() + 1024) throw std::runtime_error("a packed chunk is too large");
  Bytes bytes(stored);
  std::uint32_t skipped = 0;
  if (H5Dread_chunk(dataset_, H5P_DEFAULT, offset, &skipped, bytes.data()) < 0) {
    throw std::runtime_error(hdf5_reason());
  }
  for (std::size_t i = filters_.size(); i-- > 0;) {
    if ((skipped >> i & 1U) != 0) continue;
    bytes = filters_[i].id == H5Z_FILTER_DEFLATE ? inflate(bytes, chunk_bytes())
                                                 : unshuffle(bytes, filters_[i].width);
  }
  if (bytes.size() != chunk_bytes()) {
    throw std::runtime_error(
        fmt::format("a chunk unpacks to {} bytes, not {}", bytes.size(), chunk_bytes()));
  }
  return bytes;
}

void Hdf5Chunks::load_band(std::size_t band) {
  if (band == band_) return;
  band_ = SIZE_MAX;
  const std::size_t first = band * shape_.chunk_rows;
  const std::size_t rows = std::min(shape_.chunk_rows, shape_.rows - first);
  const std::size_t row_bytes = shape_.cols * shape_.width;
  band_bytes_.resize(rows * row_bytes);
  for (std::size_t col = 0; col < shape_.cols; col += shape_.chunk_cols) {
    const Bytes chunk = load_chunk(first, col);
    const std::size_t cols = std::min(shape_.chunk_cols, shape_.cols - col);
    for (std::size_t r = 0; r < rows; ++r) {
      std::memcpy(band_bytes_.data() + r * row_bytes + col * shape_.width,
                  chunk.data() + r * shape_.chunk_cols * shape_.width, cols * shape_.width);
    }
  }
  band_ = band;
}

void Hdf5Chunks::read(std::size_t first, std::size_t count, std::uint8_t* out) {
  const std::size_t row_bytes = shape_.cols * shape_.width;
  for (const std::size_t end = first + count; first < end;) {
    const std::size_t band = first / shape_.chunk_rows;
    load_band(band);
    const std::size_t start = first - band * shape_.chunk_rows;
    const std::size_t rows = std::min(end - first, band_bytes_.size() / row_bytes - start);
    std::memcpy(out, band_bytes_.data() + start * row_bytes, rows * row_bytes);
    out += rows * row_bytes;
    first += rows;
  }
}

}  // namespace obliq::datasets
