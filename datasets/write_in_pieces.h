// Vectors on their way into a file: read in pieces of bounded memory, between which the work can be
// stopped.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "obliq/matrix_view.h"
#include "obliq/progress.h"
#include "obliq/vector_source.h"

namespace obliq::datasets {

/// Calls `write` with the number of the first row and the rows of each piece of the source, in
/// order, and reports the share that is done. Throws Cancelled.
template <typename Write>
void write_in_pieces(const VectorSource& source, std::string_view stage, const Progress& progress,
                     const Write& write) {
  constexpr std::size_t kPieceFloats = std::size_t{2} << 20;
  const std::size_t n = source.rows();
  const std::size_t dim = source.dim();
  const std::size_t piece = std::max<std::size_t>(kPieceFloats / std::max<std::size_t>(dim, 1), 1);
  Matrix<float> rows(std::min(piece, n), dim);
  for (std::size_t first = 0; first < n; first += piece) {
    report(progress, stage, static_cast<double>(first) / static_cast<double>(n));
    const std::size_t count = std::min(piece, n - first);
    source.read(first, count, rows.values.data());
    write(first, rows.view().slice(0, count));
  }
  report(progress, stage, 1);
}

}  // namespace obliq::datasets
