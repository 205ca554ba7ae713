// Assignment is exact (nearest_rows.h), with the centroid of the iteration before as the first
// guess. The update sums the members of each centroid in row order, so that no thread count changes
// a bit.
#include "index/kmeans.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <numeric>

#include "index/nearest_rows.h"
#include "quant/kernels/dispatch.h"
#include "quant/parallel.h"
#include "quant/random.h"

namespace obliq {
namespace {

constexpr std::size_t kStartDims = 32;  // of the projection that k-means++ looks at
// Points a cluster, at the least, where a part of them may serve; and that part, one in so many.
constexpr std::size_t kCoarsePoints = 32;
constexpr std::size_t kCoarseShare = 4;
constexpr std::size_t kStartPoints = 16;  // candidates a cluster in k-means++

// Row numbers sorted by their centroid: members of c are order[starts[c]] .. order[starts[c+1]-1].
struct Members {
  std::vector<std::size_t> starts;
  std::vector<std::uint32_t> order;
};

Members group_members(const std::vector<std::uint32_t>& nearest, std::size_t clusters) {
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

void update_centroids(MatrixView<float> x, const Members& members, int threads,
                      Matrix<float>& centroids) {
  parallel_for(centroids.rows, 16, threads, [&](std::size_t begin, std::size_t end, int) {
    std::vector<double> sum(x.cols);
    for (std::size_t c = begin; c < end; ++c) {
      const std::size_t count = members.starts[c + 1] - members.starts[c];
      if (count == 0) continue;
      std::fill(sum.begin(), sum.end(), 0.0);
      for (std::size_t m = members.starts[c]; m < members.starts[c + 1]; ++m) {
        const float* row = x.row(members.order[m]);
        for (std::size_t j = 0; j < x.cols; ++j) sum[j] += row[j];
      }
      const double share = 1.0 / static_cast<double>(count);
      for (std::size_t j = 0; j < x.cols; ++j) {
        centroids.row(c)[j] = static_cast<float>(sum[j] * share);
      }
    }
  });
}

// Moves each empty cluster to the point farthest from its centroid, each point used once.
void repair_empty(MatrixView<float> x, const Members& members, const std::vector<float>& distances,
                  Matrix<float>& centroids) {
  std::vector<std::size_t> empty;
  for (std::size_t c = 0; c < centroids.rows; ++c) {
    if (members.starts[c] == members.starts[c + 1]) empty.push_back(c);
  }
  if (empty.empty()) return;
  std::vector<std::uint32_t> far(x.rows);
  std::iota(far.begin(), far.end(), 0U);
  const auto farther = [&](std::uint32_t a, std::uint32_t b) {
    return distances[a] != distances[b] ? distances[a] > distances[b] : a < b;
  };
  const auto middle = far.begin() + static_cast<std::ptrdiff_t>(std::min(empty.size(), x.rows));
  std::partial_sort(far.begin(), middle, far.end(), farther);
  for (std::size_t e = 0; e < empty.size() && e < x.rows; ++e) {
    std::copy_n(x.row(far[e]), x.cols, centroids.row(empty[e]));
  }
}

// The first coordinates of `count` rows drawn without replacement; `chosen` gets their numbers.
Matrix<float> start_candidates(MatrixView<float> x, std::size_t count, Random& random,
                               std::vector<std::uint32_t>& chosen) {
  chosen.resize(x.rows);
  std::iota(chosen.begin(), chosen.end(), 0U);
  for (std::size_t i = 0; i < count; ++i) {
    std::swap(chosen[i], chosen[i + random.below(x.rows - i)]);
  }
  chosen.resize(count);
  Matrix<float> points(count, std::min(kStartDims, x.cols));
  for (std::size_t i = 0; i < count; ++i) {
    std::copy_n(x.row(chosen[i]), points.cols, points.row(i));
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
Matrix<float> plus_plus(MatrixView<float> x, const KMeansOptions& options) {
  Random random(options.seed);
  std::vector<std::uint32_t> chosen;
  const std::size_t count = std::min(x.rows, kStartPoints * options.clusters);
  const Matrix<float> points = start_candidates(x, count, random, chosen);
  std::vector<float> weight(count, std::numeric_limits<float>::infinity());
  Matrix<float> centroids(options.clusters, x.cols);
  std::size_t pick = random.below(count);
  for (std::size_t c = 0; c < options.clusters; ++c) {
    std::copy_n(x.row(chosen[pick]), x.cols, centroids.row(c));
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
  Lloyd(MatrixView<float> x, const KMeansOptions& options, Matrix<float>& centroids)
      : x_(x), options_(options), centroids_(centroids), nearest_(x.rows), distances_(x.rows) {}

  /// Assigns the points, returns their mean squared distance, and updates the centroids. `done`:
  /// iterations before this one, of all points or not.
  double iterate(int done);

 private:
  MatrixView<float> x_;
  const KMeansOptions& options_;
  Matrix<float>& centroids_;
  std::vector<std::uint32_t> nearest_;
  std::vector<float> distances_;
  bool assigned_ = false;
};

double Lloyd::iterate(int done) {
  // Rows between two reports: a stop waits for 16384 * clusters products, not for a whole
  // iteration.
  constexpr std::size_t kReportRows = 16384;
  const NearestRows centroids(centroids_.view());
  for (std::size_t first = 0; first < x_.rows; first += kReportRows) {
    const double share = static_cast<double>(first) / static_cast<double>(x_.rows);
    report(options_.progress, "k-means", (done + share) / options_.iterations);
    std::uint32_t* const at = nearest_.data() + first;
    assign(x_.slice(first, std::min(kReportRows, x_.rows - first)), centroids,
           assigned_ ? at : nullptr, options_.threads, at, distances_.data() + first);
  }
  assigned_ = true;
  const Members members = group_members(nearest_, options_.clusters);
  update_centroids(x_, members, options_.threads, centroids_);
  repair_empty(x_, members, distances_, centroids_);
  return std::accumulate(distances_.begin(), distances_.end(), 0.0) / static_cast<double>(x_.rows);
}

// Every so many rows, `count` in all.
Matrix<float> thin(MatrixView<float> x, std::size_t count) {
  Matrix<float> some(count, x.cols);
  for (std::size_t i = 0; i < count; ++i) {
    std::copy_n(x.row(i * x.rows / count), x.cols, some.row(i));
  }
  return some;
}

}  // namespace

void assign_nearest(MatrixView<float> x, MatrixView<float> centroids, int threads,
                    std::uint32_t* nearest, float* distances) {
  assign(x, NearestRows(centroids), nullptr, threads, nearest, distances);
}

KMeansResult kmeans(MatrixView<float> x, const KMeansOptions& options) {
  assert(options.clusters > 0 && options.clusters <= x.rows);
  KMeansResult result{plus_plus(x, options), {}};
  int done = 0;
  if (x.rows >= kCoarseShare * kCoarsePoints * options.clusters) {
    const Matrix<float> some = thin(x, x.rows / kCoarseShare);
    Lloyd coarse(some.view(), options, result.centroids);
    for (; done < options.iterations / 2; ++done) coarse.iterate(done);
  }
  Lloyd all(x, options, result.centroids);
  for (; done < options.iterations; ++done) result.objectives.push_back(all.iterate(done));
  return result;
}

}  // namespace obliq
