// A node of the tree (HDF5 file format 3.0, III.A.1, type 1) is
//
//     "TREE" 1, level, uint16 entries, uint64 left, right
//     entries * (uint32 bytes, uint32 skipped filters, uint64 first row [, column], 0; uint64
//     child)
//
// Chunks at the border are stored whole.
#include "datasets/hdf5_chunks.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>

namespace obliq::datasets {
namespace {

constexpr std::uint64_t kNodeBytes = 24;
// A chunk may be larger than its dataset, but not without end.
constexpr std::size_t kSmallChunkBytes = std::size_t{16} << 20;

// Inflates to `room` bytes at the most; false when there are more or the bytes are damaged.
bool inflate(std::vector<std::uint8_t>& bytes, std::size_t room) {
  std::vector<std::uint8_t> whole(room);
  auto length = static_cast<uLongf>(room);
  const int status =
      ::uncompress(whole.data(), &length, bytes.data(), static_cast<uLong>(bytes.size()));
  whole.resize(length);
  bytes.swap(whole);
  return status == Z_OK;
}

// Shuffled: first the first bytes of all values, then the second ones, and so on.
void unshuffle(std::vector<std::uint8_t>& bytes, std::size_t width) {
  const std::size_t values = bytes.size() / width;
  std::vector<std::uint8_t> whole(bytes);
  for (std::size_t b = 0; b < width && values > 0; ++b) {
    const std::uint8_t* from = bytes.data() + b * values;
    for (std::size_t i = 0; i < values; ++i) whole[i * width + b] = from[i];
  }
  bytes.swap(whole);
}

}  // namespace

ChunkedRows::ChunkedRows(const StoredDataset& dataset, const StoredLayout& layout,
                         std::vector<Filter> filters)
    : file_(*dataset.file),
      rows_(dataset.rows),
      cols_(dataset.cols),
      rank_(static_cast<std::size_t>(dataset.rank)),
      width_(dataset.type.width),
      chunk_rows_(layout.chunk[0]),
      chunk_cols_(rank_ == 2 ? layout.chunk[1] : 1),
      filters_(std::move(filters)) {
  if (!multiply(chunk_rows_, chunk_cols_, chunk_bytes_) ||
      !multiply(chunk_bytes_, width_, chunk_bytes_) || chunk_bytes_ == 0 ||
      chunk_bytes_ > kSmallChunkBytes + rows_ * cols_ * width_) {
    file_.at(0, 0, "").fail(
        fmt::format("chunks of {} x {} values do not fit the dataset", chunk_rows_, chunk_cols_));
  }
  if (layout.offset != kNoAddress) add_tree(layout.offset, 256);
}

void ChunkedRows::add_tree(std::uint64_t address, unsigned above) {
  Cursor head = file_.at(address, kNodeBytes, "a tree of chunks");
  head.expect("TREE\1");
  const unsigned level = head.u8();
  const std::size_t entries = head.u16();
  if (level >= above) head.fail("a tree of chunks whose levels do not fall");
  const std::uint64_t entry_bytes = 16 + 8 * (rank_ + 1);
  Cursor node = file_.at(address + kNodeBytes, entries * entry_bytes, "a tree of chunks");
  for (std::size_t i = 0; i < entries; ++i) {
    // Sound trees do not name a node twice, and every entry takes its bytes.
    if (++seen_ > file_.bytes.bytes.size() / entry_bytes) node.fail("a tree of chunks in circles");
    if (level == 0) {
      add_chunk(node);
    } else {
      node.skip(entry_bytes - 8);
      add_tree(node.u64(), level);
    }
  }
}

void ChunkedRows::add_chunk(Cursor& node) {
  Chunk chunk{};
  chunk.bytes = node.u32();
  chunk.skipped = node.u32();
  const std::uint64_t row = node.u64();
  const std::uint64_t col = rank_ == 2 ? node.u64() : 0;
  node.skip(8);
  chunk.address = node.u64();
  if (row % chunk_rows_ != 0 || col % chunk_cols_ != 0) node.fail("a chunk in an odd place");
  if (!chunks_.emplace(std::pair(row, col), chunk).second) node.fail("a chunk is there twice");
}

ChunkedRows::Bytes ChunkedRows::load_chunk(std::size_t row, std::size_t col) const {
  const auto found = chunks_.find({row, col});
  if (found == chunks_.end()) {
    file_.at(0, 0, "").fail(fmt::format("the chunk of row {}, column {} is missing", row, col));
  }
  const Chunk& chunk = found->second;
  Cursor stored = file_.at(chunk.address, chunk.bytes, "a chunk");
  const Cursor start = stored;
  const std::uint8_t* packed = stored.take(chunk.bytes);
  Bytes bytes(packed, packed + chunk.bytes);
  for (std::size_t i = filters_.size(); i-- > 0;) {
    if (i < 32 && (chunk.skipped >> i & 1U) != 0) continue;
    if (filters_[i].kind == FilterKind::shuffle) {
      unshuffle(bytes, filters_[i].width);
    } else if (!inflate(bytes, chunk_bytes_)) {
      start.fail("a packed chunk is damaged");
    }
  }
  if (bytes.size() != chunk_bytes_) {
    start.fail(fmt::format("a chunk holds {} bytes, not {}", bytes.size(), chunk_bytes_));
  }
  return bytes;
}

void ChunkedRows::load_band(std::size_t band) {
  if (band == band_) return;
  band_ = SIZE_MAX;
  const std::size_t first = band * chunk_rows_;
  const std::size_t rows = std::min(chunk_rows_, rows_ - first);
  const std::size_t row_bytes = cols_ * width_;
  band_bytes_.resize(rows * row_bytes);
  for (std::size_t col = 0; col < cols_; col += chunk_cols_) {
    const Bytes chunk = load_chunk(first, col);
    const std::size_t cols = std::min(chunk_cols_, cols_ - col);
    for (std::size_t r = 0; r < rows; ++r) {
      std::memcpy(band_bytes_.data() + r * row_bytes + col * width_,
                  chunk.data() + r * chunk_cols_ * width_, cols * width_);
    }
  }
  band_ = band;
}

void ChunkedRows::read(std::size_t first, std::size_t count, std::uint8_t* out) {
  const std::size_t row_bytes = cols_ * width_;
  for (const std::size_t end = first + count; first < end;) {
    const std::size_t band = first / chunk_rows_;
    load_band(band);
    const std::size_t start = first - band * chunk_rows_;
    const std::size_t rows = std::min(end - first, band_bytes_.size() / row_bytes - start);
    std::memcpy(out, band_bytes_.data() + start * row_bytes, rows * row_bytes);
    out += rows * row_bytes;
    first += rows;
  }
}

}  // namespace obliq::datasets
