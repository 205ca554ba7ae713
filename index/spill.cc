#include "index/spill.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "index/rough_quantile.h"
#include "quant/kernels/dispatch.h"
#include "quant/parallel.h"

namespace obliq {
namespace {

constexpr float kLambda = 2;
constexpr std::size_t kCandidates = 16;  // centroids tried for the second list
constexpr std::size_t kTileRows = 16;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Chooses for one vector at a time. One for each thread.
class Chooser {
 public:
  explicit Chooser(MatrixView<float> centroids)
      : centroids_(centroids), norms_(centroids.rows), scores_(centroids.rows) {
    for (std::size_t c = 0; c < centroids.rows; ++c) {
      norms_[c] = kernels().dot(centroids.row(c), centroids.row(c), centroids.cols);
    }
  }

  /// `products` holds <x,c> of every centroid.
  ListChoice choose(const float* x, const float* products);

 private:
  void rank_nearest(const float* products);
  float loss(const float* x, const float* c, float r1_norm2) const;

  MatrixView<float> centroids_;
  std::vector<float> norms_;
  std::vector<float> scores_;  // (|c|^2 - 2<x,c>) / 8, which no finite norm makes infinite
  std::vector<std::pair<float, std::uint32_t>> ranked_;  // the home and the candidates
};

void Chooser::rank_nearest(const float* products) {
  for (std::size_t c = 0; c < scores_.size(); ++c) scores_[c] = norms_[c] / 8 - products[c] / 4;
  const std::size_t wanted = std::min(kCandidates + 1, scores_.size());
  const float limit = rough_quantile(scores_, wanted);
  ranked_.clear();
  for (std::size_t c = 0; c < scores_.size(); ++c) {
    if (scores_[c] <= limit) ranked_.emplace_back(scores_[c], static_cast<std::uint32_t>(c));
  }
  std::partial_sort(ranked_.begin(), ranked_.begin() + static_cast<std::ptrdiff_t>(wanted),
                    ranked_.end());
  ranked_.resize(wanted);
}

float Chooser::loss(const float* x, const float* c, float r1_norm2) const {
  const std::size_t dim = centroids_.cols;
  const float distance2 = kernels().l2_sqr(x, c, dim);
  if (r1_norm2 == 0) return distance2;
  const float* home = centroids_.row(ranked_[0].second);
  // <r2,r1>, from |r2 - r1|^2 = |c1 - c2|^2 without storing a residual.
  const float product = (r1_norm2 + distance2 - kernels().l2_sqr(home, c, dim)) / 2;
  return distance2 + kLambda * product * (product / r1_norm2);
}

ListChoice Chooser::choose(const float* x, const float* products) {
  rank_nearest(products);
  ListChoice choice = {ranked_[0].second, kNoList, kInfinity};
  if (ranked_.size() == 1) return choice;
  choice.second = ranked_[1].second;
  const float r1_norm2 = kernels().l2_sqr(x, centroids_.row(choice.home), centroids_.cols);
  float least = kInfinity;
  for (std::size_t i = 1; i < ranked_.size(); ++i) {
    const float loss = this->loss(x, centroids_.row(ranked_[i].second), r1_norm2);
    if (!(loss < least)) continue;  // nor a NaN, of vectors near the end of the floats
    least = loss;
    choice.second = ranked_[i].second;
  }
  const float relative = least / r1_norm2;
  if (relative < kInfinity) choice.loss = relative;
  return choice;
}

}  // namespace

void choose_lists(MatrixView<float> x, MatrixView<float> centroids, int threads,
                  ListChoice* choices) {
  const std::size_t grain = 16 * kTileRows;
  parallel_for(x.rows, grain, threads, [&](std::size_t begin, std::size_t end, int) {
    Chooser chooser(centroids);
    std::vector<float> products(kTileRows * centroids.rows);
    for (std::size_t first = begin; first < end; first += kTileRows) {
      const std::size_t count = std::min(kTileRows, end - first);
      kernels().dots(x.row(first), count, centroids.data, centroids.rows, centroids.cols,
                     products.data());
      for (std::size_t i = 0; i < count; ++i) {
        choices[first + i] = chooser.choose(x.row(first + i), &products[i * centroids.rows]);
      }
    }
  });
}

std::size_t keep_cheapest(std::span<ListChoice> choices, std::size_t count) {
  std::vector<std::uint32_t> rows;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (choices[i].second != kNoList) rows.push_back(static_cast<std::uint32_t>(i));
  }
  if (count >= rows.size()) return rows.size();
  const auto middle = rows.begin() + static_cast<std::ptrdiff_t>(count);
  std::nth_element(rows.begin(), middle, rows.end(), [&](std::uint32_t a, std::uint32_t b) {
    const float x = choices[a].loss;
    const float y = choices[b].loss;
    return x != y ? x < y : a < b;
  });
  for (auto row = middle; row != rows.end(); ++row) choices[*row].second = kNoList;
  return count;
}

}  // namespace obliq
