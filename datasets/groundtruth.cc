// Exact k-NN of core/ (exact_knn.h), with what a file of ground truth needs besides: vectors that
// are not finite are refused by name, and short answers are padded.
#include "datasets/groundtruth.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "core/exact_knn.h"
#include "core/kernels/dispatch.h"

namespace obliq::datasets {
namespace {

// Vectors [0, count), the first of which is number `first`. Lengths do not matter under cosine.
void require_usable(const float* vectors, std::size_t count, std::size_t dim, Metric metric,
                    std::string_view what, std::size_t first) {
  for (std::size_t i = 0; i < count; ++i) {
    const float* x = vectors + i * dim;
    if (std::isfinite(kernels().dot(x, x, dim))) continue;
    if (metric == Metric::cosine &&
        std::all_of(x, x + dim, [](float value) { return std::isfinite(value); })) {
      continue;
    }
    throw std::invalid_argument(fmt::format(
        "{} {} has a NaN, an infinity or a squared norm beyond float", what, first + i));
  }
}

// A base that is checked as it is read.
class CheckedBase final : public VectorSource {
 public:
  CheckedBase(const VectorSource& base, Metric metric) : base_(base), metric_(metric) {}
  std::size_t rows() const override { return base_.rows(); }
  std::size_t dim() const override { return base_.dim(); }
  void read(std::size_t first, std::size_t count, float* out) const override {
    base_.read(first, count, out);
    require_usable(out, count, dim(), metric_, "base vector", first);
  }

 private:
  const VectorSource& base_;
  Metric metric_;
};

void check(const VectorSource& base, MatrixView<float> queries, std::size_t k) {
  if (k == 0) throw std::invalid_argument("k must be 1 or more, not 0");
  if (base.dim() != queries.cols) {
    throw std::invalid_argument(
        fmt::format("queries have dim {}, but the base has {}", queries.cols, base.dim()));
  }
  if (queries.cols == 0) throw std::invalid_argument("dim must be 1 or more, not 0");
  if (base.rows() >= TopK::kNoRow) {
    throw std::invalid_argument(fmt::format("a base of {} rows; exact search takes fewer than {}",
                                            base.rows(), TopK::kNoRow));
  }
}

}  // namespace

GroundTruth ground_truth(const VectorSource& base, MatrixView<float> queries, std::size_t k,
                         Metric metric, int threads, const Progress& progress) {
  check(base, queries, k);
  require_usable(queries.data, queries.rows, queries.cols, metric, "query", 0);
  const Neighbours found = exact_knn(CheckedBase(base, metric), queries, {},
                                     {metric, k, threads, progress, "ground truth"});
  GroundTruth truth{Matrix<std::int64_t>(queries.rows, k), Matrix<float>(queries.rows, k)};
  std::fill(truth.ids.values.begin(), truth.ids.values.end(), -1);
  std::fill(truth.distances.values.begin(), truth.distances.values.end(),
            std::numeric_limits<float>::infinity());
  for (std::size_t q = 0; q < queries.rows; ++q) {
    for (std::size_t i = 0; i < found[q].size(); ++i) {
      const auto [distance, row] = found[q][i];
      truth.ids.row(q)[i] = row;
      truth.distances.row(q)[i] = distance;
    }
  }
  return truth;
}

}  // namespace obliq::datasets
