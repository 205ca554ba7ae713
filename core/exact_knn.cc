// Exact search in three loops: chunks of the base that fit memory, slabs of a chunk that fit the
// cache, tiles of queries x slab rows for the `dots` kernel.
//
// The kernel may round as it likes, inside a bound: |<q,x>' - <q,x>| <= dim 2^-23 sum |q_i x_i|.
// So a pair is only dropped when its distance minus that bound is farther than the k-th found;
// otherwise its distance is computed again by the kernel of fixed order, and only such distances
// are compared. The answer is exact in that arithmetic: the same on every ISA and for every number
// of threads, chunk and tile.
#include "core/exact_knn.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "core/exact_distance.h"
#include "core/kernels/dispatch.h"
#include "core/largest.h"
#include "core/parallel.h"
#include "core/safe_norm.h"

namespace obliq {
namespace {

constexpr std::size_t kChunkFloats = std::size_t{1} << 20;  // of the base read at a time
constexpr std::size_t kSlabFloats = std::size_t{1} << 18;   // of the base that all queries see
constexpr std::size_t kTileQueries = 32;
constexpr std::size_t kTileRows = 128;

/// A power of two that brings vectors whose squares would leave the normal floats to a size near 1.
/// It rounds nothing; 1 for all others.
float power_for(float largest) {
  constexpr int kSafe = 40;
  const int exponent = largest > 0 ? std::ilogb(largest) : 0;
  return std::abs(exponent) < kSafe ? 1.0F : std::ldexp(1.0F, std::clamp(-exponent, -126, 126));
}

/// Vectors times a power of two, with their squared lengths; cosine: unit ones.
struct Rows {
  Matrix<float> values;
  std::vector<float> norms;

  void prepare(Metric metric, std::size_t count, float power, int threads) {
    norms.resize(count);
    parallel_for(count, 256, threads, [&](std::size_t begin, std::size_t end, int) {
      for (std::size_t i = begin; i < end; ++i) {
        float* x = values.row(i);
        if (metric == Metric::cosine) normalise(x, values.cols);
        for (std::size_t j = 0; power != 1 && j < values.cols; ++j) x[j] *= power;
        norms[i] = kernels().dot(x, x, values.cols);
      }
    });
  }
};

std::int64_t id_of(const void* ids, std::uint32_t row) {
  return static_cast<const std::int64_t*>(ids)[row];
}

class ExactScan {
 public:
  ExactScan(MatrixView<float> queries, std::span<const std::uint32_t> excluded,
            const ExactKnnOptions& options)
      : metric_(options.metric),
        threads_(resolve_threads(options.threads)),
        excluded_(excluded),
        given_(queries),
        largest_(metric_ == Metric::cosine ? 0 : largest_size(queries.data, queries.size())),
        found_(queries.rows) {
    queries_.values = Matrix<float>(queries.rows, queries.cols);
    set_power(power_for(largest_));
    TopK::Ids ids = {};
    if (!options.ids.empty()) ids = {id_of, options.ids.data()};
    for (TopK& found : found_) found.reset(options.k, ids);
  }

  /// What queries and base are multiplied by, once it is known how large values are in the next
  /// `count` rows of the base. It only falls: what was found so far is brought to the new scale.
  float power_with(const float* rows, std::size_t count) {
    if (metric_ == Metric::cosine) return 1;
    largest_ = std::max(largest_, largest_size(rows, count * given_.cols));
    const float power = power_for(largest_);
    if (power != power_) set_power(power);
    return power_;
  }

  /// Compares all queries with rows [begin, end) of a chunk, whose row 0 is base row `first`.
  void add(const Rows& chunk, std::size_t begin, std::size_t end, std::size_t first) {
    const std::size_t n = found_.size();
    const auto team = static_cast<std::size_t>(threads_);
    const std::size_t grain = std::clamp<std::size_t>((n + team - 1) / team, 1, kTileQueries);
    parallel_for(n, grain, threads_, [&](std::size_t from, std::size_t to, int) {
      for (std::size_t row = begin; row < end; row += kTileRows) {
        tile(chunk, row, std::min(end, row + kTileRows), first, from, to);
      }
    });
  }

  Neighbours result() {
    Neighbours all;
    all.reserve(found_.size());
    for (TopK& found : found_) {
      all.push_back(found.sorted());
      for (TopK::Answer& answer : all.back()) answer.first = answer.first / power_ / power_;
    }
    return all;
  }

 private:
  void set_power(float power) {
    std::copy_n(given_.data, given_.size(), queries_.values.values.begin());
    queries_.prepare(metric_, given_.rows, power, threads_);
    for (TopK& found : found_) found.scale(power / power_);
    power_ = power;
  }

  float exact(const float* query, const float* row) const {
    return exact_distance(metric_, query, row, queries_.values.cols);
  }

  /// How far a tile's distance and the exact one may differ: dim roundings of 2^-23 in `dots`,
  /// about dim / 64 in norms and exact distances, some more in the sums; each of (|q| + |x|)^2.
  float slack(float query_norm, float largest_norm) const {
    const float rounding = static_cast<float>(queries_.values.cols * 33 / 32 + 16) * 0x1p-23F;
    const float lengths = std::sqrt(query_norm) + std::sqrt(largest_norm);
    return rounding * lengths * lengths;
  }

  void tile(const Rows& chunk, std::size_t begin, std::size_t end, std::size_t first,
            std::size_t from, std::size_t to) {
    const std::size_t count = end - begin;
    float products[kTileQueries * kTileRows];
    kernel_.dots(queries_.values.row(from), to - from, chunk.values.row(begin), count,
                 chunk.values.cols, products);
    const auto norms = std::span(chunk.norms).subspan(begin, count);
    const float largest = *std::max_element(norms.begin(), norms.end());
    for (std::size_t q = from; q < to; ++q) {
      collect(chunk, begin, first, q, {products + (q - from) * count, count}, largest);
    }
  }

  /// With distance = shift + a |x|^2 - b <q,x>, only a |x|^2 - b <q,x> varies in the loop. Cosine
  /// is half of l2 between unit vectors; to a zero vector that is 1/2 instead of 1, which is
  /// compared.
  void collect(const Rows& chunk, std::size_t begin, std::size_t first, std::size_t q,
               std::span<const float> products, float largest) {
    const float a = metric_ == Metric::ip ? 0.0F : (metric_ == Metric::l2 ? 1.0F : 0.5F);
    const float b = metric_ == Metric::l2 ? 2.0F : 1.0F;
    const float margin = slack(queries_.norms[q], largest);
    const float shift = a * queries_.norms[q];
    const float* norms = chunk.norms.data() + begin;
    const std::uint32_t excluded = excluded_.empty() ? TopK::kNoRow : excluded_[q];
    TopK& found = found_[q];
    float limit = found.threshold() + margin - shift;
    for (std::size_t i = 0; i < products.size(); ++i) {
      if (a * norms[i] - b * products[i] > limit) continue;
      const auto row = static_cast<std::uint32_t>(first + begin + i);
      if (row == excluded) continue;
      found.push(exact(queries_.values.row(q), chunk.values.row(begin + i)), row);
      limit = found.threshold() + margin - shift;
    }
  }

  const Kernels& kernel_ = kernels();
  Metric metric_;
  float power_ = 1;
  int threads_;
  std::span<const std::uint32_t> excluded_;
  MatrixView<float> given_;  ///< the queries as they came
  float largest_;            ///< absolute value in the queries and the base rows seen; not cosine
  Rows queries_;
  std::vector<TopK> found_;
};

}  // namespace

Neighbours exact_knn(const VectorSource& base, MatrixView<float> queries,
                     std::span<const std::uint32_t> excluded, const ExactKnnOptions& options) {
  const std::size_t n = base.rows();
  const std::size_t dim = base.dim();
  assert(options.k > 0 && dim > 0 && dim == queries.cols && n < TopK::kNoRow);
  assert(excluded.empty() || excluded.size() == queries.rows);
  assert(options.ids.empty() || options.ids.size() == n);
  const std::size_t chunk_rows =
      std::clamp<std::size_t>(kChunkFloats / dim, 1, std::max<std::size_t>(n, 1));
  const std::size_t slab_rows = std::max(kSlabFloats / dim, kTileRows);
  Rows chunk{Matrix<float>(chunk_rows, dim), {}};
  ExactScan scan(queries, excluded, options);
  for (std::size_t first = 0; first < n; first += chunk_rows) {
    const std::size_t count = std::min(chunk_rows, n - first);
    base.read(first, count, chunk.values.values.data());
    const float power = scan.power_with(chunk.values.row(0), count);
    chunk.prepare(options.metric, count, power, options.threads);
    for (std::size_t row = 0; row < count; row += slab_rows) {
      report(options.progress, options.stage,
             static_cast<double>(first + row) / static_cast<double>(n));
      scan.add(chunk, row, std::min(count, row + slab_rows), first);
    }
  }
  report(options.progress, options.stage, 1);
  return scan.result();
}

}  // namespace obliq
