// Rows spread evenly over a set: the one rule by which queries that are given, samples and sets to
// measure are thinned. The n rows are cut into `count` ranges whose sizes differ by one at most;
// the i-th pick is the first row of the i-th range.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>

#include "obliq/matrix_view.h"

namespace obliq {

/// The first row of range i, which is the end of range i - 1; rows rise with i. Requires
/// i <= count, 0 < count <= n and count * n < 2^64.
constexpr std::size_t spread_row(std::size_t i, std::size_t count, std::size_t n) {
  assert(i <= count && count > 0 && count <= n);
  return i * n / count;
}

/// `count` of the rows, copied in their order; all of them where there are no more.
inline Matrix<float> spread_rows(MatrixView<float> rows, std::size_t count) {
  Matrix<float> some(std::min(rows.rows, count), rows.cols);
  for (std::size_t i = 0; i < some.rows; ++i) {
    std::copy_n(rows.row(spread_row(i, some.rows, rows.rows)), rows.cols, some.row(i));
  }
  return some;
}

}  // namespace obliq
