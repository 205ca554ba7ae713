// The weight w of a list's radius in the router's order (segment/list_key.h), learnt from the base:
// rows of a sample ask for their nearest others, and that w is the best with which they meet nearly
// all of them after the fewest entries.
#pragma once

#include <array>
#include <cstddef>

#include "obliq/matrix_view.h"
#include "obliq/metric.h"
#include "obliq/vector_source.h"

namespace obliq {

constexpr std::array<float, 5> kListWeights = {0, 0.25F, 0.5F, 0.75F, 1};
constexpr float kUsualListWeight = 0.5F;

/// How many entries, of lists that hold the sample, 95 % of the 10 nearest rows of 256 rows need,
/// for each of kListWeights: a list's entries and those of all lists before it. Looks at 65536 rows
/// at the most, reading `piece` at a time; needs more than 10. Rows are after the transform,
/// centroids where they are. Does not depend on piece and threads. Cost: 256 rows dim, and their
/// assignment.
std::array<double, kListWeights.size()> entries_by_weight(Metric metric, const VectorSource& sample,
                                                          MatrixView<float> centroids,
                                                          std::size_t piece, int threads);

/// The weight with the fewest entries; the usual one unless that saves 15 %. Less is noise: over
/// eight samples of sentences the ratio of entries at .75 and .5 had a standard deviation of .055,
/// and four weights compete.
float best_list_weight(const std::array<double, kListWeights.size()>& entries);

/// Bytes that entries_by_weight takes besides its pieces.
std::size_t list_weight_bytes(std::size_t dim, std::size_t nlist, int threads);

}  // namespace obliq
