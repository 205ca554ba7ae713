// Assignment is exact (nearest_rows.h), with the centroid of the iteration before as the first
// guess. The update sums the members of each centroid in row order, so that no thread count changes
// a bit.
#include "index/build/kmeans.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>

#include "core/kernels/dispatch.h"
#include "core/parallel.h"
#include "core/random.h"
#include "index/build/staged_vectors.h"

namespace obliq {
namespace {

constexpr std::size_t kStartDims = 32;  // of the projection that k-means++ looks at
// Least number of points per cluster where a part of them may serve; and that part, one in this
// number.
constexpr std::size_t kCoarsePoints = 32;
constexpr std::size_t kCoarseShare = 4;
constexpr std::size_t kStartPoints = 16;  // candidates per cluster in k-means++

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

// The first coordinates of `count` rows drawn without replacement; `chosen` gets their numbers.
Matrix<float> start_candidates(const VectorSource& x, std::size_t count, Random& random,
                               std::vector<std::uint32_t>& chosen) {
  chosen.resize(x.rows());
  std::iota(chosen.begin(), chosen.end(), 0U);
  for (std::size_t i = 0; i < count; ++i) {
    std::swap(chosen[i], chosen[i + random.below(x.rows() - i)]);
  }
  chosen.resize(count);
  Matrix<float> points(count, std::min(kStartDims, x.dim()));
  std::vector<float> row(x.dim());
  for (std::size_t i = 0; i < count; ++i) {
    x.read(chosen[i], 1, row.data());
    std::copy_n(row.data(), points.cols, points.row(i));
  }
  return points;
}

// The first index whose running sum of weights exceeds `target`; n when none does.
std::size_t draw(const std::vector<float>& weights, double target) {
  double sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    sum += weights[i];
    if (sum > target) return i;
  }
  return weights.size();
}

// k-means++: each next start is drawn with probability proportional to the squared distance from
// the starts before it.
Matrix<float> plus_plus(const VectorSource& x, const KMeansOptions& options) {
  Random random(options.seed);
  std::vector<std::uint32_t> chosen;
  const std::size_t count = std::min(x.rows(), kStartPoints * options.clusters);
  const Matrix<float> points = start_candidates(x, count, random, chosen);
  std::vector<float> weight(count, std::numeric_limits<float>::infinity());
  Matrix<float> centroids(options.clusters, x.dim());
  std::size_t pick = random.below(count);
  for (std::size_t c = 0; c < options.clusters; ++c) {
    x.read(chosen[pick], 1, centroids.row(c));
    parallel_for(count, 16384, options.threads, [&](std::size_t begin, std::size_t end, int) {
      for (std::size_t i = begin; i < end; ++i) {
        weight[i] =
            std::min(weight[i], kernels().l2_sqr(points.row(i), points.row(pick), points.cols));
      }
    });
    if (c % 64 == 0) {
      report(options.progress, "k-means++ start",
             static_cast<double>(c) / static_cast<double>(options.clusters));
    }
    const double total = std::accumulate(weight.begin(), weight.end(), 0.0);
    pick = std::min(draw(weight, random.uniform() * total), count - 1);
    if (total == 0) pick = random.below(count);  // fewer distinct points than clusters
  }
  report(options.progress, "k-means++ start", 1);
  return centroids;
}

// See assign_nearest; `guesses` as in NearestRows::search, or null.
void assign(MatrixView<float> x, const NearestRows& centroids, const std::uint32_t* guesses,
            int threads, std::uint32_t* nearest, float* distances) {
  constexpr std::size_t kTile = NearestRows::kTile;
  parallel_for(x.rows, kTile, threads, [&](std::size_t begin, std::size_t end, int) {
    Nearest found[kTile];
    centroids.search(x.slice(begin, end - begin), guesses == nullptr ? nullptr : guesses + begin,
                     found);
    for (std::size_t i = begin; i < end; ++i) {
      nearest[i] = found[i - begin].row;
      if (distances != nullptr) distances[i] = found[i - begin].distance2;
    }
  });
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
  const VectorSource& x_;
  const KMeansOptions& options_;
  Matrix<float>& centroids_;
  std::vector<std::uint32_t> nearest_;
  std::vector<float> distances_;
  bool assigned_ = false;
};

double Lloyd::iterate(int done) {
  const NearestRows centroids(centroids_.view());
  Sums sums(centroids_.rows, centroids_.cols);
  Matrix<float> buffer;
  const std::size_t n = x_.rows();
  for (std::size_t first = 0; first < n; first += options_.piece_rows) {
    const double share = static_cast<double>(first) / static_cast<double>(n);
    report(options_.progress, "k-means", (done + share) / options_.iterations);
    const std::size_t count = std::min(options_.piece_rows, n - first);
    const MatrixView<float> x = rows_of(x_, first, count, buffer);
    std::uint32_t* const at = nearest_.data() + first;
    assign(x, centroids, assigned_ ? at : nullptr, options_.threads, at, distances_.data() + first);
    sums.add(x, {at, count}, options_.threads);
  }
  assigned_ = true;
  sums.means(centroids_);
  repair_empty(x_, sums, distances_, centroids_);
  return std::accumulate(distances_.begin(), distances_.end(), 0.0) / static_cast<double>(n);
}

}  // namespace

void assign_nearest(MatrixView<float> x, const NearestRows& centroids, int threads,
                    std::uint32_t* nearest) {
  assign(x, centroids, nullptr, threads, nearest, nullptr);
}

void assign_nearest(MatrixView<float> x, MatrixView<float> centroids, int threads,
                    std::uint32_t* nearest, float* distances) {
  assign(x, NearestRows(centroids), nullptr, threads, nearest, distances);
}

KMeansResult kmeans(const VectorSource& x, const KMeansOptions& options) {
  assert(options.clusters > 0 && options.clusters <= x.rows());
  KMeansResult result{plus_plus(x, options), {}};
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

}  // namespace obliq
