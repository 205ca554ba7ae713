// The base is read once, in order, a chunk at a time, and of each of `count` equal ranges one row
// is drawn. Rows that tuning will ask with are skipped: a vector that k-means has seen lies nearer
// to its centroid than a query does.
#include "index/build/sample.h"

#include <algorithm>
#include <vector>

#include "core/random.h"
#include "core/spread_rows.h"
#include "index/segment/vector_transform.h"
#include "index/tune/tuning.h"

namespace obliq {
namespace {

constexpr std::size_t kGivenPoints = 32768;  // rows where centroids are given

// Rows for tuning, which are to be like queries. None where leaving them out would cost more than a
// twentieth of the base, or lists of hardly a vector.
std::vector<std::uint32_t> left_out(const BuildPlan& plan) {
  if (20 * learn_count(plan.n) > plan.n || 2 * plan.nlist > plan.n) return {};
  return learn_rows(plan.n, plan.options.seed);
}

}  // namespace

StagedVectors take_sample(const BuildPlan& plan) {
  const BuildOptions& options = plan.options;
  const std::size_t n = plan.n;
  const std::size_t dim = plan.dim;
  const bool given = options.centroids.rows > 0;
  const std::size_t count = std::min(n, given ? kGivenPoints : options.kmeans_points * plan.nlist);
  const std::vector<std::uint32_t> others = left_out(plan);
  Random random(options.seed);
  StagedVectors rows(dim, plan.make_staging());
  rows.reserve(count);
  Matrix<float> buffer;
  Matrix<float> picked(plan.chunk_rows, dim);
  std::size_t taken = 0;
  for (std::size_t first = 0; first < n; first += plan.chunk_rows) {
    const std::size_t size = std::min(plan.chunk_rows, n - first);
    report(options.progress, "sample", static_cast<double>(first) / static_cast<double>(n));
    const MatrixView<float> read = rows_of(plan.base, first, size, buffer);
    require_finite(read, "base vector", first, options.metric);
    std::size_t kept = 0;
    for (; taken < count && spread_row(taken, count, n) < first + size; ++taken) {
      const std::size_t begin = std::max(spread_row(taken, count, n), first);
      const std::size_t end = std::min(spread_row(taken + 1, count, n), first + size);
      const std::size_t pick = begin + random.below(std::max(end, begin + 1) - begin);
      if (std::binary_search(others.begin(), others.end(), pick)) continue;
      std::copy_n(read.row(pick - first), dim, picked.row(kept++));
    }
    rows.append(picked.view().slice(0, kept));
  }
  return rows;
}

}  // namespace obliq
