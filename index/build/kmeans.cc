// Assignment is exact (nearest_rows.h), with the centroid of the iteration before as the first
// guess. The update sums the members of each centroid in row order, so that no thread count changes
// a bit.
#include "index/build/kmeans.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <span>

#include "core/kernels/dispatch.h"
#include "core/parallel.h"
#include "core/spread_rows.h"
#include "index/build/learn_margin.h"
#include "index/build/staged_vectors.h"

namespace obliq {
namespace {

// Least number of points per cluster where a part of them may serve; and that part, one in this
// number.
constexpr std::size_t kCoarsePoints = 32;
constexpr std::size_t kCoarseShare = 4;
// Least number of clusters whose centroids are grouped, and the share of points that may then miss
// their nearest one, learnt from some.
constexpr std::size_t kLeastDivided = 16384;
constexpr double kMissed = 0.003;
constexpr std::size_t kMarginPoints = 1024;

// Row numbers sorted by their centroid: members of c are order[starts[c]] .. order[starts[c+1]-1].
struct Members {
  std::vector<std::size_t> starts;
  std::vector<std::uint32_t> order;
};

Members group_members(std::span<const std::uint32_t> nearest, std::size_t clusters) {
  Members members{std::vector<std::size_t>(clusters + 1, 0),
                  std::vector<std::uint32_t>(nearest.size())};
  for (const std::uint32_t c : nearest) ++members.starts[c + 1];
  std::partial_sum(members.starts.begin(), members.starts.end(), members.starts.begin());
  std::vector<std::size_t> next(members.starts.begin(), members.starts.end() - 1);
  for (std::size_t i = 0; i < nearest.size(); ++i) {
    members.order[next[nearest[i]]++] = static_cast<std::uint32_t>(i);
  }
  return members;
}

/// Sums of the members of each cluster, to which pieces of the points are added in order.
class Sums {
 public:
  Sums(std::size_t clusters, std::size_t dim)
      : dim_(dim), counts_(clusters), sums_(clusters * dim) {}

  void add(MatrixView<float> x, std::span<const std::uint32_t> nearest, int threads);
  bool empty(std::size_t cluster) const { return counts_[cluster] == 0; }
  /// Writes the mean of each cluster that is not empty.
  void means(Matrix<float>& centroids) const;

 private:
  std::size_t dim_;
  std::vector<std::size_t> counts_;
  std::vector<double> sums_;
};

void Sums::add(MatrixView<float> x, std::span<const std::uint32_t> nearest, int threads) {
  const Members members = group_members(nearest, counts_.size());
  parallel_for(counts_.size(), 16, threads, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t c = begin; c < end; ++c) {
      double* sum = sums_.data() + c * dim_;
      for (std::size_t m = members.starts[c]; m < members.starts[c + 1]; ++m) {
        const float* row = x.row(members.order[m]);
        for (std::size_t j = 0; j < dim_; ++j) sum[j] += row[j];
      }
      counts_[c] += members.starts[c + 1] - members.starts[c];
    }
  });
}

void Sums::means(Matrix<float>& centroids) const {
  for (std::size_t c = 0; c < counts_.size(); ++c) {
    if (counts_[c] == 0) continue;
    const double share = 1.0 / static_cast<double>(counts_[c]);
    for (std::size_t j = 0; j < dim_; ++j) {
      centroids.row(c)[j] = static_cast<float>(sums_[c * dim_ + j] * share);
    }
  }
}

// Moves each empty cluster to the point farthest from its centroid, each point used once.
void repair_empty(const VectorSource& x, const Sums& sums, const std::vector<float>& distances,
                  Matrix<float>& centroids) {
  std::vector<std::size_t> empty;
  for (std::size_t c = 0; c < centroids.rows; ++c) {
    if (sums.empty(c)) empty.push_back(c);
  }
  if (empty.empty()) return;
  std::vector<std::uint32_t> far(distances.size());
  std::iota(far.begin(), far.end(), 0U);
  const auto farther = [&](std::uint32_t a, std::uint32_t b) {
    return distances[a] != distances[b] ? distances[a] > distances[b] : a < b;
  };
  const std::size_t moved = std::min(empty.size(), far.size());
  std::partial_sort(far.begin(), far.begin() + static_cast<std::ptrdiff_t>(moved), far.end(),
                    farther);
  for (std::size_t e = 0; e < moved; ++e) x.read(far[e], 1, centroids.row(empty[e]));
}

/// Iterations over some points.
class Lloyd {
 public:
  Lloyd(const VectorSource& x, const KMeansOptions& options, Matrix<float>& centroids)
      : x_(x), options_(options), centroids_(centroids), nearest_(x.rows()), distances_(x.rows()) {}

  /// Assigns the points, returns their mean squared distance, and updates the centroids. `done`:
  /// iterations before this one, of all points or not.
  double iterate(int done);

 private:
  std::unique_ptr<const NearestRows> search();

  const VectorSource& x_;
  const KMeansOptions& options_;
  Matrix<float>& centroids_;
  std::vector<std::uint32_t> nearest_;
  std::vector<float> distances_;
  int iterations_ = 0;
  RowGroups groups_;  // of centroids, where there are many
};

// Of many centroids those of near groups are looked at: a point in another cluster than the nearest
// now and then changes little. Centroids hardly move from their groups after the first update.
std::unique_ptr<const NearestRows> Lloyd::search() {
  if (centroids_.rows < kLeastDivided) return std::make_unique<NearestRows>(centroids_.view());
  if (iterations_ < 2) {
    groups_ = divide_rows(centroids_.view(), options_.seed, options_.threads);
    const std::size_t sample = std::min(kMarginPoints, x_.rows());
    Matrix<float> points(sample, x_.dim());
    for (std::size_t i = 0; i < sample; ++i) {
      x_.read(spread_row(i, sample, x_.rows()), 1, points.row(i));
    }
    groups_.margin =
        learn_margin(centroids_.view(), groups_, points.view(), kMissed, options_.threads);
  }
  return std::make_unique<NearestRows>(centroids_.view(), groups_);
}

double Lloyd::iterate(int done) {
  const std::unique_ptr<const NearestRows> centroids = search();
  Sums sums(centroids_.rows, centroids_.cols);
  Matrix<float> buffer;
  const std::size_t n = x_.rows();
  for (std::size_t first = 0; first < n; first += options_.piece_rows) {
    const double share = static_cast<double>(first) / static_cast<double>(n);
    report(options_.progress, "k-means", (done + share) / options_.iterations);
    const std::size_t count = std::min(options_.piece_rows, n - first);
    const MatrixView<float> x = rows_of(x_, first, count, buffer);
    std::uint32_t* const at = nearest_.data() + first;
    assign_nearest(x, *centroids, iterations_ > 0 ? at : nullptr, options_.threads, at,
                   distances_.data() + first);
    sums.add(x, {at, count}, options_.threads);
  }
  ++iterations_;
  sums.means(centroids_);
  repair_empty(x_, sums, distances_, centroids_);
  return std::accumulate(distances_.begin(), distances_.end(), 0.0) / static_cast<double>(n);
}

}  // namespace

KMeansResult kmeans(const VectorSource& x, const KMeansOptions& options) {
  assert(options.clusters > 0 && options.clusters <= x.rows());
  KMeansResult result{kmeans_start(x, options), {}};
  int done = 0;
  if (x.rows() >= kCoarseShare * kCoarsePoints * options.clusters) {
    const ThinSource some(x, x.rows() / kCoarseShare);
    Lloyd coarse(some, options, result.centroids);
    for (; done < options.iterations / 2; ++done) coarse.iterate(done);
  }
  Lloyd all(x, options, result.centroids);
  for (; done < options.iterations; ++done) result.objectives.push_back(all.iterate(done));
  report(options.progress, "k-means", 1);
  return result;
}

KMeansResult kmeans(MatrixView<float> x, const KMeansOptions& options) {
  return kmeans(MatrixSource(x), options);
}

RowGroups divide_rows(MatrixView<float> rows, std::uint64_t seed, int threads) {
  KMeansOptions how;
  how.clusters = count_groups(rows.rows);
  how.iterations = 4;
  how.seed = seed;
  how.threads = threads;
  const Matrix<float> points = kmeans(rows, how).centroids;
  RowGroups groups{std::vector<std::uint32_t>(rows.rows), points.rows};
  assign_nearest(rows, points.view(), threads, groups.of_row.data(), nullptr);
  return groups;
}

}  // namespace obliq
