#include "index/typical_rows.h"

#include <algorithm>

#include "quant/kernels/dispatch.h"

namespace obliq {

std::vector<std::size_t> typical_rows(MatrixView<float> rows) {
  constexpr float kTooLong2 = 16;
  std::vector<std::size_t> typical;
  if (rows.rows == 0) return typical;
  std::vector<float> norms(rows.rows);
  for (std::size_t i = 0; i < rows.rows; ++i) {
    norms[i] = kernels().dot(rows.row(i), rows.row(i), rows.cols);
  }
  std::vector<float> sorted = norms;
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  for (std::size_t i = 0; i < rows.rows; ++i) {
    if (norms[i] <= kTooLong2 * *middle) typical.push_back(i);
  }
  return typical;
}

}  // namespace obliq
