// Spilling: a vector far from its centroid is easily missed, so it may have a second entry, in the
// list of another centroid. With r1 = x - c1 its residual in its primary list, that of
// the nearest centroid, u1 = r1 / |r1|, and r2 = x - c2, the second list is the one with the least
//
//     loss = |r2|^2 + lambda <r2,u1>^2
//
// (SOAR, arXiv 2404.00774, equation 4): where the query hides x behind r1, r2 should point another
// way. Spilling costs an entry, so those vectors are spilled whose loss / |r1|^2 is below a
// threshold, which the model holds: the quantile of a sample that makes the share that is asked
// for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "index/build/nearest_rows.h"
#include "index/segment/list_record.h"
#include "obliq/matrix_view.h"

namespace obliq {

/// The lists of one vector.
struct ListChoice {
  std::uint32_t primary = 0;
  std::uint32_t second = kNoList;  ///< kNoList where there is one list only
  float loss = 0;                  ///< loss / |r1|^2 of the second; +infinity where r1 is 0
};

/// Chooses both lists of each row of x, the second among the 16 others that are nearest as bytes
/// (nearest_rows.h); primaries are those of assign_nearest. Rows and centroids are after the
/// transform. Cost: rows * nlist * dim.
void choose_lists(MatrixView<float> x, MatrixView<float> centroids, int threads,
                  ListChoice* choices);
/// The same for callers that keep the search of the centroids.
void choose_lists(MatrixView<float> x, MatrixView<float> centroids, const NearestRows& search,
                  int threads, ListChoice* choices);

}  // namespace obliq
