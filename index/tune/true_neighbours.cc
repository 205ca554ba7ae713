#include "index/tune/true_neighbours.h"

#include <algorithm>
#include <cmath>

#include "core/kernels/dispatch.h"
#include "core/parallel.h"
#include "index/segment/vector_transform.h"

namespace obliq {
namespace {

constexpr std::size_t kChunkFloats = std::size_t{1} << 20;  // of the base read at a time
constexpr std::size_t kTileQueries = 16;
constexpr std::size_t kTileRows = 128;

/// Vectors with their squared lengths; cosine: unit ones.
struct Rows {
  Matrix<float> values;
  std::vector<float> norms;

  void prepare(Metric metric, std::size_t count, int threads) {
    norms.resize(count);
    parallel_for(count, 256, threads, [&](std::size_t begin, std::size_t end, int) {
      for (std::size_t i = begin; i < end; ++i) {
        float* x = values.row(i);
        if (metric == Metric::cosine) normalise(x, values.cols);
        norms[i] = kernels().dot(x, x, values.cols);
      }
    });
  }
};

class Scan {
 public:
  Scan(Metric metric, const LearnQueries& learn, std::size_t k, int threads)
      : metric_(metric), threads_(threads), queries_{learn.queries, {}}, found_(learn.self.size()) {
    queries_.prepare(metric, found_.size(), threads);
    for (std::size_t q = 0; q < found_.size(); ++q) found_[q].reset(k, learn.self[q]);
  }

  /// Compares all queries with the chunk, whose first row is base row `first`.
  void add(const Rows& chunk, std::size_t first) {
    parallel_for(found_.size(), kTileQueries, threads_,
                 [&](std::size_t begin, std::size_t end, int) {
                   for (std::size_t row = 0; row < chunk.norms.size(); row += kTileRows) {
                     tile(chunk, row, first, begin, end);
                   }
                 });
  }

  Neighbours result() {
    Neighbours all;
    for (TopK& found : found_) all.push_back(found.sorted());
    return all;
  }

 private:
  float exact(const float* query, const float* row) const {
    const std::size_t dim = queries_.values.cols;
    return metric_ == Metric::l2 ? kernels().l2_sqr(query, row, dim)
                                 : -kernels().dot(query, row, dim);
  }

  // The `dots` kernel rounds as it likes; a pair that its product cannot rule out is compared by
  // the kernels of fixed order. `slack` covers the roundings of both: dim of 2^-23, of (|q| +
  // |x|)^2.
  void tile(const Rows& chunk, std::size_t row, std::size_t first, std::size_t begin,
            std::size_t end) {
    const std::size_t count = std::min(kTileRows, chunk.norms.size() - row);
    const std::size_t dim = queries_.values.cols;
    float products[kTileQueries * kTileRows];
    kernels().dots(queries_.values.row(begin), end - begin, chunk.values.row(row), count, dim,
                   products);
    const bool l2 = metric_ == Metric::l2;
    for (std::size_t q = begin; q < end; ++q) {
      for (std::size_t i = 0; i < count; ++i) {
        const float product = products[(q - begin) * count + i];
        const float norms = queries_.norms[q] + chunk.norms[row + i];
        const float slack = 2 * norms * static_cast<float>(dim * 33 / 32 + 16) * 0x1p-23F;
        const float distance = l2 ? norms - 2 * product : -product;
        if (distance - slack > found_[q].threshold()) continue;
        found_[q].push(exact(queries_.values.row(q), chunk.values.row(row + i)),
                       static_cast<std::uint32_t>(first + row + i));
      }
    }
  }

  Metric metric_;
  int threads_;
  Rows queries_;
  std::vector<TopK> found_;
};

}  // namespace

Neighbours true_neighbours(const VectorSource& base, Metric metric, const LearnQueries& learn,
                           std::size_t k, int threads, const Progress& progress) {
  Scan scan(metric, learn, k, threads);
  const std::size_t n = base.rows();
  const std::size_t chunk =
      std::clamp<std::size_t>(kChunkFloats / base.dim(), 1, std::max<std::size_t>(n, 1));
  Rows rows{Matrix<float>(chunk, base.dim()), {}};
  for (std::size_t first = 0; first < n; first += chunk) {
    report(progress, "true neighbours", static_cast<double>(first) / static_cast<double>(n));
    const std::size_t count = std::min(chunk, n - first);
    base.read(first, count, rows.values.values.data());
    rows.prepare(metric, count, threads);
    scan.add(rows, first);
  }
  return scan.result();
}

}  // namespace obliq
