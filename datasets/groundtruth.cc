// Exact search in three loops: chunks of the base that fit memory, slabs of a chunk that fit the
// cache, tiles of queries x slab rows for the `dots` kernel.
//
// The kernel may round as it likes, inside a bound: |<q,x>' - <q,x>| <= dim 2^-23 sum |q_i x_i|.
// So a pair is only dropped when its distance minus that bound is no nearer than the k-th found;
// otherwise its distance is computed again by the kernel of fixed order, and only such distances
// are compared. The answer is exact in that arithmetic: the same on every SIMD level and for every
// number of threads, chunk and tile.
#include "datasets/groundtruth.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>
#include <vector>

#include "core/kernels/dispatch.h"
#include "core/parallel.h"

namespace obliq::datasets {
namespace {

constexpr std::size_t kChunkBytes = std::size_t{32} << 20;  // base read at a time
constexpr std::size_t kSlabBytes = std::size_t{1} << 20;    // base that all queries see in turn
constexpr std::size_t kTileQueries = 32;
constexpr std::size_t kTileRows = 128;

using Candidate = std::pair<float, std::int64_t>;  // distance, id: ordered as answers are

// The k nearest so far of one query: a heap with the farthest on top.
class Nearest {
 public:
  explicit Nearest(std::size_t k) : k_(k) {}
  bool full() const { return heap_.size() == k_; }
  /// Distances must be below this to enter; ids come in rising order, so that ties lose.
  float threshold() const {
    return full() ? heap_.front().first : std::numeric_limits<float>::infinity();
  }
  void add(float distance, std::int64_t id) {
    if (full()) {
      if (!(Candidate(distance, id) < heap_.front())) return;
      std::pop_heap(heap_.begin(), heap_.end());
      heap_.pop_back();
    }
    heap_.emplace_back(distance, id);
    std::push_heap(heap_.begin(), heap_.end());
  }
  void sorted(float* distances, std::int64_t* ids) {
    std::sort_heap(heap_.begin(), heap_.end());
    for (std::size_t i = 0; i < k_; ++i) {
      const bool found = i < heap_.size();
      distances[i] = found ? heap_[i].first : std::numeric_limits<float>::infinity();
      ids[i] = found ? heap_[i].second : -1;
    }
  }

 private:
  std::size_t k_;
  std::vector<Candidate> heap_;
};

// Rows with their squared norms, ready for the metric.
struct Rows {
  Matrix<float> values;
  std::vector<float> norms;
};

// Computes norms of the first `count` rows and, for cosine, scales them to 1 (zero stays zero).
void prepare(Rows& rows, std::size_t count, Metric metric, std::string_view what,
             std::size_t first) {
  const Kernels& kernel = kernels();
  const std::size_t dim = rows.values.cols;
  for (std::size_t i = 0; i < count; ++i) {
    float* row = rows.values.row(i);
    float norm = kernel.dot(row, row, dim);
    if (!std::isfinite(norm)) {
      throw std::invalid_argument(fmt::format(
          "{} {} has a NaN, an infinity or a squared norm beyond float", what, first + i));
    }
    if (metric == Metric::cosine && norm > 0) {
      const float length = std::sqrt(norm);
      for (std::size_t d = 0; d < dim; ++d) row[d] /= length;
      norm = 1;
    }
    rows.norms[i] = norm;
  }
}

class ExactSearch {
 public:
  ExactSearch(MatrixView<float> queries, std::size_t k, Metric metric)
      : metric_(metric), nearest_(queries.rows, Nearest(k)) {
    queries_.values = Matrix<float>(queries.rows, queries.cols);
    std::copy(queries.data, queries.data + queries.size(), queries_.values.values.begin());
    queries_.norms.resize(queries.rows);
    prepare(queries_, queries.rows, metric, "query", 0);
  }

  /// Compares rows [begin, end) of a chunk, whose row 0 has id `first`, with every query.
  void add(const Rows& base, std::size_t begin, std::size_t end, std::size_t first, int threads) {
    const std::size_t n = queries_.norms.size();
    const auto team = static_cast<std::size_t>(resolve_threads(threads));
    const std::size_t grain = std::clamp<std::size_t>((n + team - 1) / team, 1, kTileQueries);
    parallel_for(n, grain, threads, [&](std::size_t from, std::size_t to, int) {
      for (std::size_t row = begin; row < end; row += kTileRows) {
        tile(base, row, std::min(end, row + kTileRows), first, from, to);
      }
    });
  }

  GroundTruth result(std::size_t k) {
    GroundTruth truth{Matrix<std::int64_t>(nearest_.size(), k), Matrix<float>(nearest_.size(), k)};
    for (std::size_t q = 0; q < nearest_.size(); ++q) {
      nearest_[q].sorted(truth.distances.row(q), truth.ids.row(q));
    }
    return truth;
  }

 private:
  float exact(const float* query, const float* row) const {
    const std::size_t dim = queries_.values.cols;
    if (metric_ == Metric::l2) return kernel_.l2_sqr(query, row, dim);
    const float product = kernel_.dot(query, row, dim);
    return metric_ == Metric::ip ? -product : 1 - product;
  }

  /// How far a tile's distance and the exact one may differ: dim roundings of 2^-23 in `dots`,
  /// about dim / 64 in norms and exact distances, some more in the sums; each of (|q| + |x|)^2.
  float slack(float query_norm, float largest_norm) const {
    const float rounding = static_cast<float>(queries_.values.cols * 33 / 32 + 16) * 0x1p-23F;
    const float reach = std::sqrt(query_norm) + std::sqrt(largest_norm);
    return rounding * (reach * reach + (metric_ == Metric::cosine ? 1.0F : 0.0F));
  }

  void tile(const Rows& base, std::size_t begin, std::size_t end, std::size_t first,
            std::size_t from, std::size_t to) {
    const std::size_t count = end - begin;
    float products[kTileQueries * kTileRows];
    kernel_.dots(queries_.values.row(from), to - from, base.values.row(begin), count,
                 base.values.cols, products);
    const float largest = *std::max_element(base.norms.begin() + static_cast<std::ptrdiff_t>(begin),
                                            base.norms.begin() + static_cast<std::ptrdiff_t>(end));
    for (std::size_t q = from; q < to; ++q) {
      collect(base, begin, count, first, q, products + (q - from) * count, largest);
    }
  }

  /// With distance = shift + a |x|^2 - b <q,x>, only |x|^2 a - b <q,x> varies in the loop.
  void collect(const Rows& base, std::size_t begin, std::size_t count, std::size_t first,
               std::size_t q, const float* products, float largest) {
    const float norm = queries_.norms[q];
    const float margin = slack(norm, largest);
    const float shift = metric_ == Metric::l2 ? norm : metric_ == Metric::cosine ? 1.0F : 0.0F;
    const float a = metric_ == Metric::l2 ? 1.0F : 0.0F;
    const float b = metric_ == Metric::l2 ? 2.0F : 1.0F;
    const float* norms = base.norms.data() + begin;
    Nearest& nearest = nearest_[q];
    float limit = nearest.threshold() + margin - shift;
    for (std::size_t i = 0; i < count; ++i) {
      if (a * norms[i] - b * products[i] > limit) continue;
      nearest.add(exact(queries_.values.row(q), base.values.row(begin + i)),
                  static_cast<std::int64_t>(first + begin + i));
      limit = nearest.threshold() + margin - shift;
    }
  }

  const Kernels& kernel_ = kernels();
  Metric metric_;
  Rows queries_;
  std::vector<Nearest> nearest_;
};

void check(const VectorSource& base, MatrixView<float> queries, std::size_t k) {
  if (k == 0) throw std::invalid_argument("k must be 1 or more, not 0");
  if (base.dim() != queries.cols) {
    throw std::invalid_argument(
        fmt::format("queries have dim {}, but the base has {}", queries.cols, base.dim()));
  }
  if (queries.cols == 0) throw std::invalid_argument("dim must be 1 or more, not 0");
}

}  // namespace

GroundTruth ground_truth(const VectorSource& base, MatrixView<float> queries, std::size_t k,
                         Metric metric, int threads, const Progress& progress) {
  check(base, queries, k);
  const std::size_t n = base.rows();
  const std::size_t row_bytes = base.dim() * sizeof(float);
  const std::size_t chunk_rows =
      std::clamp<std::size_t>(kChunkBytes / row_bytes, 1, std::max<std::size_t>(n, 1));
  const std::size_t slab_rows = std::max(kSlabBytes / row_bytes, kTileRows);
  ExactSearch search(queries, k, metric);
  Rows chunk{Matrix<float>(chunk_rows, base.dim()), std::vector<float>(chunk_rows)};
  for (std::size_t first = 0; first < n; first += chunk_rows) {
    const std::size_t count = std::min(chunk_rows, n - first);
    base.read(first, count, chunk.values.values.data());
    prepare(chunk, count, metric, "base vector", first);
    for (std::size_t row = 0; row < count; row += slab_rows) {
      report(progress, "ground truth", static_cast<double>(first + row) / static_cast<double>(n));
      search.add(chunk, row, std::min(count, row + slab_rows), first, threads);
    }
  }
  report(progress, "ground truth", 1);
  return search.result(k);
}

}  // namespace obliq::datasets
