// k-means++ looks at all candidates after each draw. With many clusters a new start is nearer than
// the one before to few of them, which are near to it. So candidates are gathered in cells, that of
// the nearest of some first starts, and only those of the cells near to the new start are looked
// at; weights of others stay a little too large at the worst. The sums of the weights of cells find
// the next draw without a pass over all.
#include "index/build/kmeans_start.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>

#include "core/kernels/dispatch.h"
#include "core/parallel.h"
#include "core/permute.h"
#include "core/random.h"
#include "index/build/assign_nearest.h"

namespace obliq {
namespace {

constexpr std::size_t kStartDims = 32;    // of the projection that is looked at
constexpr std::size_t kStartPoints = 16;  // candidates per cluster
constexpr std::size_t kNearCells = 8;     // whose candidates a start may be the nearest to

void report_start(std::size_t starts, const KMeansOptions& options) {
  report(options.progress, "k-means++ start",
         static_cast<double>(starts) / static_cast<double>(options.clusters));
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

// The first index whose running sum of weights exceeds `target`; their number when none does.
template <typename T>
std::size_t draw(std::span<const T> weights, double target) {
  double sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    sum += weights[i];
    if (sum > target) return i;
  }
  return weights.size();
}

// Numbers of the points that are starts.
std::vector<std::size_t> draw_from_all(MatrixView<float> points, std::size_t starts, Random& random,
                                       const KMeansOptions& options) {
  std::vector<float> weight(points.rows, std::numeric_limits<float>::infinity());
  std::vector<std::size_t> picks = {random.below(points.rows)};
  while (true) {
    const float* const last = points.row(picks.back());
    if (picks.size() % 64 == 1) report_start(picks.size() - 1, options);
    if (picks.size() == starts) return picks;
    parallel_for(points.rows, 16384, options.threads, [&](std::size_t begin, std::size_t end, int) {
      for (std::size_t i = begin; i < end; ++i) {
        weight[i] = std::min(weight[i], kernels().l2_sqr(points.row(i), last, points.cols));
      }
    });
    const double total = std::accumulate(weight.begin(), weight.end(), 0.0);
    std::size_t pick = std::min(draw<float>(weight, random.uniform() * total), points.rows - 1);
    if (total == 0) pick = random.below(points.rows);  // fewer distinct points than starts
    picks.push_back(pick);
  }
}

/// Points in the order of their cells.
class Cells {
 public:
  /// Brings points and their numbers into that order. `centres` [cells] are numbers of points.
  Cells(Matrix<float>& points, std::vector<std::uint32_t>& numbers,
        const std::vector<std::size_t>& centres, int threads);

  /// A point drawn with probability proportional to its weight, which it loses.
  std::size_t take(Random& random);

 private:
  void sum(std::size_t cell);

  Matrix<float>& points_;
  std::vector<std::size_t> first_;   // point of each cell, and the end
  std::vector<float> weights_;       // of points
  std::vector<double> sums_;         // of the weights of a cell
  std::vector<std::uint32_t> near_;  // [cells][kNearCells], itself among them
};

std::vector<std::uint32_t> near_cells(MatrixView<float> centres, int threads) {
  std::vector<std::uint32_t> near(centres.rows * kNearCells);
  parallel_for(centres.rows, 16, threads, [&](std::size_t begin, std::size_t end, int) {
    std::vector<std::pair<float, std::uint32_t>> all(centres.rows);
    for (std::size_t c = begin; c < end; ++c) {
      for (std::uint32_t d = 0; d < all.size(); ++d) {
        all[d] = {kernels().l2_sqr(centres.row(c), centres.row(d), centres.cols), d};
      }
      all[c].first = -1;  // before its copies
      std::nth_element(all.begin(), all.begin() + kNearCells, all.end());
      for (std::size_t i = 0; i < kNearCells; ++i) near[c * kNearCells + i] = all[i].second;
    }
  });
  return near;
}

Cells::Cells(Matrix<float>& points, std::vector<std::uint32_t>& numbers,
             const std::vector<std::size_t>& centres, int threads)
    : points_(points), first_(centres.size() + 1), sums_(centres.size()) {
  Matrix<float> rows(centres.size(), points.cols);
  for (std::size_t c = 0; c < rows.rows; ++c) {
    std::copy_n(points.row(centres[c]), points.cols, rows.row(c));
  }
  near_ = near_cells(rows.view(), threads);
  std::vector<std::uint32_t> cell(points.rows);
  std::vector<float> distance2(points.rows);
  assign_nearest(points.view(), rows.view(), threads, cell.data(), distance2.data());
  std::vector<std::uint32_t> order(points.rows);
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return cell[a] < cell[b]; });
  for (const std::uint32_t i : order) {
    ++first_[cell[i] + 1];
    weights_.push_back(distance2[i]);
  }
  std::partial_sum(first_.begin(), first_.end(), first_.begin());
  const std::vector<std::uint32_t> before = numbers;
  for (std::size_t i = 0; i < order.size(); ++i) numbers[i] = before[order[i]];
  permute({reinterpret_cast<std::uint8_t*>(points.values.data()), 4 * points.values.size()},
          4 * points.cols, order);
  for (std::size_t c = 0; c < sums_.size(); ++c) sum(c);
}

void Cells::sum(std::size_t cell) {
  sums_[cell] = 0;
  for (std::size_t i = first_[cell]; i < first_[cell + 1]; ++i) sums_[cell] += weights_[i];
}

std::size_t Cells::take(Random& random) {
  const double total = std::accumulate(sums_.begin(), sums_.end(), 0.0);
  if (total == 0) return random.below(points_.rows);  // fewer distinct points than starts
  const std::size_t cell =
      std::min(draw<double>(sums_, random.uniform() * total), sums_.size() - 1);
  const std::size_t count = first_[cell + 1] - first_[cell];
  const std::span<const float> weights(weights_.data() + first_[cell], count);
  const std::size_t place = draw(weights, random.uniform() * sums_[cell]);
  const std::size_t pick = std::min(first_[cell] + place, points_.rows - 1);
  for (std::size_t n = 0; n < kNearCells; ++n) {
    const std::uint32_t near = near_[cell * kNearCells + n];
    for (std::size_t i = first_[near]; i < first_[near + 1]; ++i) {
      weights_[i] =
          std::min(weights_[i], kernels().l2_sqr(points_.row(i), points_.row(pick), points_.cols));
    }
    sum(near);
  }
  return pick;
}

// Row numbers of the starts, from cells.
std::vector<std::uint32_t> draw_from_cells(Matrix<float>& points,
                                           std::vector<std::uint32_t> numbers, Random& random,
                                           const KMeansOptions& options) {
  const auto cells = static_cast<std::size_t>(2 * std::sqrt(static_cast<double>(points.rows)));
  const MatrixView<float> some =
      points.view().slice(0, std::min(points.rows, kStartPoints * cells));
  const std::vector<std::size_t> centres = draw_from_all(some, cells, random, options);
  std::vector<std::uint32_t> starts;
  starts.reserve(options.clusters);
  for (const std::size_t centre : centres) starts.push_back(numbers[centre]);
  Cells all(points, numbers, centres, options.threads);
  while (starts.size() < options.clusters) {
    if (starts.size() % 1024 == 0) report_start(starts.size(), options);
    starts.push_back(numbers[all.take(random)]);
  }
  return starts;
}

}  // namespace

Matrix<float> kmeans_start(const VectorSource& x, const KMeansOptions& options) {
  Random random(options.seed);
  std::vector<std::uint32_t> numbers;
  const std::size_t count = std::min(x.rows(), kStartPoints * options.clusters);
  Matrix<float> points = start_candidates(x, count, random, numbers);
  std::vector<std::uint32_t> starts;
  if (options.clusters >= kLeastCelled) {
    starts = draw_from_cells(points, std::move(numbers), random, options);
  } else {
    for (const std::size_t pick : draw_from_all(points.view(), options.clusters, random, options)) {
      starts.push_back(numbers[pick]);
    }
  }
  Matrix<float> centroids(options.clusters, x.dim());
  for (std::size_t c = 0; c < starts.size(); ++c) x.read(starts[c], 1, centroids.row(c));
  report_start(options.clusters, options);
  return centroids;
}

}  // namespace obliq
