// Vectors that do not lie anywhere as they are.
#pragma once

#include <cstddef>
#include <functional>
#include <utility>

#include "obliq/vector_source.h"

namespace obliq {

/// A source whose vectors are computed one by one when they are read.
class RowSource final : public VectorSource {
 public:
  using Make = std::function<void(std::size_t row, float* out)>;
  RowSource(std::size_t rows, std::size_t dim, Make make)
      : rows_(rows), dim_(dim), make_(std::move(make)) {}
  std::size_t rows() const override { return rows_; }
  std::size_t dim() const override { return dim_; }
  void read(std::size_t first, std::size_t count, float* out) const override {
    for (std::size_t i = 0; i < count; ++i) make_(first + i, out + i * dim_);
  }

 private:
  std::size_t rows_;
  std::size_t dim_;
  Make make_;
};

}  // namespace obliq
