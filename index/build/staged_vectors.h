// Vectors staged for k-means: in memory, or in a temporary file where memory is bounded.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "core/permute.h"
#include "core/spread_rows.h"
#include "obliq/vector_source.h"
#include "storage/staging_file.h"

namespace obliq {

class StagedVectors final : public VectorSource {
 public:
  StagedVectors(std::size_t dim, StagingFile staging) : dim_(dim), file_(std::move(staging)) {}

  void reserve(std::size_t rows) { file_.reserve(rows * dim_ * sizeof(float)); }
  void append(MatrixView<float> vectors) {
    file_.append(
        {reinterpret_cast<const std::uint8_t*>(vectors.data), vectors.size() * sizeof(float)});
  }

  /// Calls change(rows, count) for all rows, `piece` at a time, to change them in place. Those in a
  /// file move to `fresh`, an empty one.
  template <typename Change>
  void change(std::size_t piece, StagingFile fresh, Change change);

  /// Row i becomes what row order[i] was, for the first `kept` of all rows' numbers; the others
  /// vanish. Those in a file move to `fresh`, an empty one.
  void reorder(std::span<const std::uint32_t> order, std::size_t kept, StagingFile fresh);

  std::size_t rows() const override { return file_.size() / (dim_ * sizeof(float)); }
  std::size_t dim() const override { return dim_; }
  void read(std::size_t first, std::size_t count, float* out) const override {
    const std::size_t row_bytes = dim_ * sizeof(float);
    file_.copy(first * row_bytes, count * row_bytes, reinterpret_cast<std::uint8_t*>(out));
  }
  const float* values() const override {
    if (!file_.in_memory()) return nullptr;
    std::vector<std::uint8_t> unused;
    return reinterpret_cast<const float*>(file_.read(0, 0, unused).data());
  }

 private:
  std::size_t dim_;
  StagingFile file_;
};

template <typename Change>
void StagedVectors::change(std::size_t piece, StagingFile fresh, Change change) {
  std::vector<std::uint8_t> buffer;
  const std::size_t n = rows();
  const std::size_t row_bytes = dim_ * sizeof(float);
  for (std::size_t first = 0; first < n; first += piece) {
    const std::size_t count = std::min(piece, n - first);
    const auto bytes = file_.edit(first * row_bytes, count * row_bytes, buffer);
    change(reinterpret_cast<float*>(bytes.data()), count);
    if (!file_.in_memory()) fresh.append(bytes);
  }
  if (!file_.in_memory()) file_ = std::move(fresh);
}

inline void StagedVectors::reorder(std::span<const std::uint32_t> order, std::size_t kept,
                                   StagingFile fresh) {
  const std::size_t row_bytes = dim_ * sizeof(float);
  std::vector<std::uint8_t> buffer;
  if (file_.in_memory()) {
    permute(file_.edit(0, file_.size(), buffer), row_bytes, order);
    file_.cut(kept * row_bytes);
    return;
  }
  for (const std::uint32_t row : order.first(kept)) {
    fresh.append(file_.read(row * row_bytes, row_bytes, buffer));
  }
  file_ = std::move(fresh);
}

/// `rows` rows of another source, spread evenly.
class ThinSource final : public VectorSource {
 public:
  ThinSource(const VectorSource& all, std::size_t rows) : all_(all), rows_(rows) {}
  std::size_t rows() const override { return rows_; }
  std::size_t dim() const override { return all_.dim(); }
  void read(std::size_t first, std::size_t count, float* out) const override {
    for (std::size_t i = 0; i < count; ++i) {
      all_.read(spread_row(first + i, rows_, all_.rows()), 1, out + i * dim());
    }
  }

 private:
  const VectorSource& all_;
  std::size_t rows_;
};

/// Rows [first, first + count) where they lie in memory, else read into `buffer`, which holds so
/// many.
inline MatrixView<float> rows_of(const VectorSource& source, std::size_t first, std::size_t count,
                                 Matrix<float>& buffer) {
  if (source.values() != nullptr) {
    return {source.values() + first * source.dim(), count, source.dim()};
  }
  if (buffer.rows < count) buffer = Matrix<float>(count, source.dim());
  source.read(first, count, buffer.values.data());
  return {buffer.values.data(), count, source.dim()};
}

}  // namespace obliq
