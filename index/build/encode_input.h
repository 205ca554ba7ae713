// What is encoded into a segment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "obliq/columns.h"
#include "obliq/matrix_view.h"
#include "obliq/progress.h"
#include "obliq/vector_source.h"

namespace obliq {

struct EncodeInput {
  const VectorSource& vectors;
  MatrixView<std::int64_t> ids = {};           ///< [n][1], or empty: positions
  std::uint64_t first = 0;                     ///< position of the first vector
  std::span<const ColumnValues> columns = {};  ///< of the vectors
  std::size_t first_value = 0;                 ///< of each column, that of the first vector
  std::size_t chunk_rows = 1;                  ///< read at a time
  bool truth = false;                          ///< keep the nearest of the model's learn queries
  int threads = 0;
  Progress progress = {};
};

}  // namespace obliq
