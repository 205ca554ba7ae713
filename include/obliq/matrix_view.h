// Row-major matrices, the form in which vectors, centroids, ids and answers are passed: a view that
// owns nothing, and a matrix that owns its values.
#pragma once

#include <cassert>
#include <cstddef>
#include <vector>

namespace obliq {

/// rows x cols values of type T, row-major without gaps. Does not own them: `data` must outlive
/// the view.
template <typename T>
struct MatrixView {
  const T* data = nullptr;
  std::size_t rows = 0;
  std::size_t cols = 0;

  const T* row(std::size_t i) const {
    assert(i < rows);
    return data + i * cols;
  }
  std::size_t size() const { return rows * cols; }
  /// Rows [first, first + count). Requires first + count <= rows.
  MatrixView slice(std::size_t first, std::size_t count) const {
    assert(first + count <= rows);
    return {data + first * cols, count, cols};
  }
};

/// rows x cols values of type T, row-major, zero at the start.
template <typename T>
struct Matrix {
  std::size_t rows = 0;
  std::size_t cols = 0;
  std::vector<T> values;

  Matrix() = default;
  Matrix(std::size_t n_rows, std::size_t n_cols)
      : rows(n_rows), cols(n_cols), values(n_rows * n_cols) {}

  T* row(std::size_t i) { return values.data() + i * cols; }
  const T* row(std::size_t i) const { return values.data() + i * cols; }
  MatrixView<T> view() const { return {values.data(), rows, cols}; }
};

}  // namespace obliq
