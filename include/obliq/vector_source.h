// Where a build reads base vectors from: memory, or a file read in pieces, so that the base may be
// larger than memory. Derive from VectorSource to read a format of your own.
#pragma once

#include <cstddef>
#include <cstring>

#include "obliq/matrix_view.h"

namespace obliq {

/// rows() vectors of dim() floats, readable in any order.
class VectorSource {
 public:
  virtual ~VectorSource() = default;
  virtual std::size_t rows() const = 0;
  virtual std::size_t dim() const = 0;
  /// Writes vectors [first, first + count) to out, [count][dim] row-major. Requires
  /// first + count <= rows(). Throws std::runtime_error when the file cannot be read. Called by one
  /// thread at a time.
  virtual void read(std::size_t first, std::size_t count, float* out) const = 0;
  /// All vectors, [rows][dim] row-major, where they lie in memory; else null.
  virtual const float* values() const { return nullptr; }
};

/// Vectors that lie in memory, which the caller keeps alive.
class MatrixSource final : public VectorSource {
 public:
  explicit MatrixSource(MatrixView<float> view) : view_(view) {}
  std::size_t rows() const override { return view_.rows; }
  std::size_t dim() const override { return view_.cols; }
  void read(std::size_t first, std::size_t count, float* out) const override {
    const auto part = view_.slice(first, count);
    if (part.size() > 0) std::memcpy(out, part.data, part.size() * sizeof(float));
  }
  const float* values() const override { return view_.data; }

 private:
  MatrixView<float> view_;
};

/// The vectors [first, first + rows) of another source, which outlives this.
class SliceSource final : public VectorSource {
 public:
  /// Requires first + rows <= all.rows().
  SliceSource(const VectorSource& all, std::size_t first, std::size_t rows)
      : all_(all), first_(first), rows_(rows) {}
  std::size_t rows() const override { return rows_; }
  std::size_t dim() const override { return all_.dim(); }
  void read(std::size_t first, std::size_t count, float* out) const override {
    all_.read(first_ + first, count, out);
  }
  const float* values() const override {
    return all_.values() == nullptr ? nullptr : all_.values() + first_ * all_.dim();
  }

 private:
  const VectorSource& all_;
  std::size_t first_;
  std::size_t rows_;
};

}  // namespace obliq
