// Rows are compared by their squared length with the median of all.
#include "index/build/typical_rows.h"

#include <algorithm>

#include "core/kernels/dispatch.h"
#include "index/build/staged_vectors.h"

namespace obliq {

std::vector<bool> are_typical(const VectorSource& rows, std::size_t piece) {
  constexpr float kTooLong2 = 16;
  const std::size_t n = rows.rows();
  std::vector<bool> typical(n);
  if (n == 0) return typical;
  std::vector<float> norms;
  norms.reserve(n);
  Matrix<float> buffer;
  for (std::size_t first = 0; first < n; first += piece) {
    const auto x = rows_of(rows, first, std::min(piece, n - first), buffer);
    for (std::size_t i = 0; i < x.rows; ++i) {
      norms.push_back(kernels().dot(x.row(i), x.row(i), x.cols));
    }
  }
  std::vector<float> sorted = norms;
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(n / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  for (std::size_t i = 0; i < n; ++i) typical[i] = norms[i] <= kTooLong2 * *middle;
  return typical;
}

std::vector<std::size_t> typical_rows(MatrixView<float> rows) {
  const std::vector<bool> typical = are_typical(MatrixSource(rows), rows.rows);
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < typical.size(); ++i) {
    if (typical[i]) chosen.push_back(i);
  }
  return chosen;
}

}  // namespace obliq
