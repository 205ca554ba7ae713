// For each vector the 16 centroids of least bound after its own are tried as its second list. All
// vectors get a candidate with its loss.
#include "index/build/spill.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "core/kernels/dispatch.h"
#include "core/parallel.h"

namespace obliq {
namespace {

constexpr float kLambda = 2;
constexpr std::size_t kCandidates = 16;  // centroids tried for the second list
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Chooses for one vector at a time.
class Chooser {
 public:
  Chooser(MatrixView<float> centroids, const float* x, Nearest primary)
      : centroids_(centroids), x_(x), primary_(primary) {}

  /// The second of `candidates`, among which the primary may be.
  ListChoice choose(std::span<const BoundedRow> candidates) const;

 private:
  float loss(const float* c) const;

  MatrixView<float> centroids_;
  const float* x_;
  Nearest primary_;
};

float Chooser::loss(const float* c) const {
  const std::size_t dim = centroids_.cols;
  const float r1_norm2 = primary_.distance2;
  const float distance2 = kernels().l2_sqr(x_, c, dim);
  if (r1_norm2 == 0) return distance2;
  // <r2,r1>, from |r2 - r1|^2 = |c1 - c2|^2 without storing a residual.
  const float between = kernels().l2_sqr(centroids_.row(primary_.row), c, dim);
  const float product = (r1_norm2 + distance2 - between) / 2;
  return distance2 + kLambda * product * (product / r1_norm2);
}

ListChoice Chooser::choose(std::span<const BoundedRow> candidates) const {
  ListChoice choice = {primary_.row, kNoList, kInfinity};
  float least = kInfinity;
  std::size_t tried = 0;
  for (const auto& [bound, row] : candidates) {
    if (row == primary_.row || bound == kInfinity || tried++ == kCandidates) continue;
    if (choice.second == kNoList) choice.second = row;
    const float loss = this->loss(centroids_.row(row));
    if (!(loss < least)) continue;  // nor a NaN, of vectors near the end of the floats
    least = loss;
    choice.second = row;
  }
  const float relative = least / primary_.distance2;
  if (relative < kInfinity) choice.loss = relative;
  return choice;
}

}  // namespace

void choose_lists(MatrixView<float> x, MatrixView<float> centroids, int threads,
                  ListChoice* choices) {
  choose_lists(x, centroids, NearestRows(centroids), threads, choices);
}

void choose_lists(MatrixView<float> x, MatrixView<float> centroids, const NearestRows& search,
                  int threads, ListChoice* choices) {
  const std::size_t wanted = std::min(kCandidates + 1, centroids.rows);
  parallel_for(x.rows, search.grain(x.rows, threads), threads,
               [&](std::size_t begin, std::size_t end, int) {
                 std::vector<Nearest> primaries(end - begin);
                 std::vector<BoundedRow> candidates((end - begin) * wanted);
                 search.search_some(x.slice(begin, end - begin), wanted, primaries.data(),
                                    candidates.data());
                 for (std::size_t i = begin; i < end; ++i) {
                   choices[i] = Chooser(centroids, x.row(i), primaries[i - begin])
                                    .choose({candidates.data() + (i - begin) * wanted, wanted});
                 }
               });
}

}  // namespace obliq
