// Which rows of a sample are like the others: what is learnt from a sample, its mean or its
// moments, must not be ruled by a few vectors far away.
#pragma once

#include <cstddef>
#include <vector>

#include "obliq/matrix_view.h"
#include "obliq/vector_source.h"

namespace obliq {

/// The rows, in rising order, that are at most four times as long as the median row. Empty without
/// rows, and never otherwise.
std::vector<std::size_t> typical_rows(MatrixView<float> rows);

/// Whether each row is one of them. Reads `piece` rows at a time.
std::vector<bool> are_typical(const VectorSource& rows, std::size_t piece);

}  // namespace obliq
