// How many of the true neighbours a search found.
//
//     recall@k       share of the ids in the first k of the ground truth that the answer holds
//     recall_ties@k  the same, but an answer also counts when the ground truth holds it further
//                    back at the distance of the k-th neighbour: which of equally near vectors
//                    comes k-th is arbitrary. At most k answers per query count.
//
// A tie is a true distance within 1e-6 of the k-th one, relative to its size. Ties beyond the end
// of the ground truth are not seen, and a truth without distances has none. Where the truth holds
// fewer than k neighbours (k > n), it is a share of those.
#pragma once

#include <cstddef>
#include <cstdint>

#include "datasets/dataset.h"
#include "obliq/matrix_view.h"

namespace obliq::tools {

struct Recall {
  double strict = 0;
  double ties = 0;
};

/// Mean over the queries. `ids` is [queries][k], -1 where an answer is missing; an id that comes
/// twice, in the answer or in the truth, counts once. Throws std::invalid_argument when the truth
/// has other queries or fewer than k columns.
Recall recall_at(MatrixView<std::int64_t> ids, const datasets::GroundTruth& truth);

}  // namespace obliq::tools
