// Some rows of the sample ask, and their exact nearest others are found by comparing with all. For
// each weight the lists are ranked by their exact keys, and the entries are counted that a search
// meets up to the list of each neighbour; the weight with the least count at 95 % is the best.
#include "index/build/list_weight.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include "core/kernels/dispatch.h"
#include "core/parallel.h"
#include "core/spread_rows.h"
#include "core/top_k.h"
#include "index/build/kmeans.h"
#include "index/build/staged_vectors.h"
#include "index/segment/list_key.h"

namespace obliq {
namespace {

constexpr std::size_t kMostRows = 65536;
constexpr std::size_t kMostQueries = 256;
constexpr std::size_t kNeighbours = 10;
constexpr double kCoverage = 0.95;
constexpr double kNoise = 0.15;

/// The lists with the rows that have been seen.
struct Lists {
  std::vector<std::uint32_t> primary;  ///< of each row
  std::vector<double> sum_r2;
  std::vector<std::uint64_t> count;
};

/// A row that asks, and its nearest others.
struct Asking {
  const float* row;
  std::size_t itself;  ///< its number
  TopK nearest;
};

class Survey {
 public:
  Survey(Metric metric, const VectorSource& rows, MatrixView<float> centroids, int threads)
      : metric_(metric),
        rows_(rows),
        centroids_(centroids),
        threads_(threads),
        lists_{{}, std::vector<double>(centroids.rows), std::vector<std::uint64_t>(centroids.rows)},
        queries_(std::min(rows.rows(), kMostQueries), rows.dim()),
        asking_(queries_.rows) {
    lists_.primary.reserve(rows.rows());
    for (std::size_t q = 0; q < queries_.rows; ++q) {
      const std::size_t row = spread_row(q, queries_.rows, rows.rows());
      rows.read(row, 1, queries_.row(q));
      asking_[q].row = queries_.row(q);
      asking_[q].nearest.reset(kNeighbours);
      asking_[q].itself = row;
    }
  }

  void look(std::size_t piece);
  /// Entries in front of the list of each neighbour and in it, [weights][queries * neighbours].
  std::vector<std::vector<std::uint64_t>> entries();

 private:
  void take(MatrixView<float> rows, std::size_t first);

  Metric metric_;
  const VectorSource& rows_;
  MatrixView<float> centroids_;
  int threads_;
  Lists lists_;
  Matrix<float> queries_;
  std::vector<Asking> asking_;
};

void Survey::look(std::size_t piece) {
  Matrix<float> buffer(std::min(piece, rows_.rows()), rows_.dim());
  for (std::size_t first = 0; first < rows_.rows(); first += piece) {
    const std::size_t count = std::min(piece, rows_.rows() - first);
    rows_.read(first, count, buffer.values.data());
    take(buffer.view().slice(0, count), first);
  }
}

void Survey::take(MatrixView<float> rows, std::size_t first) {
  std::vector<std::uint32_t> primary(rows.rows);
  std::vector<float> r2(rows.rows);
  assign_nearest(rows, centroids_, threads_, primary.data(), r2.data());
  for (std::size_t i = 0; i < rows.rows; ++i) {
    lists_.primary.push_back(primary[i]);
    lists_.sum_r2[primary[i]] += r2[i];
    ++lists_.count[primary[i]];
  }
  parallel_for(asking_.size(), 8, threads_, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t q = begin; q < end; ++q) {
      for (std::size_t i = 0; i < rows.rows; ++i) {
        if (first + i == asking_[q].itself) continue;
        asking_[q].nearest.push(centroid_distance(metric_, asking_[q].row, rows.row(i), rows.cols),
                                static_cast<std::uint32_t>(first + i));
      }
    }
  });
}

std::vector<std::vector<std::uint64_t>> Survey::entries() {
  const std::size_t nlist = centroids_.rows;
  std::vector<std::vector<std::uint64_t>> entries(
      kListWeights.size(), std::vector<std::uint64_t>(asking_.size() * kNeighbours));
  parallel_for(asking_.size(), 8, threads_, [&](std::size_t begin, std::size_t end, int) {
    std::vector<float> base(nlist);
    std::vector<std::pair<float, std::uint32_t>> order(nlist);
    std::vector<std::uint64_t> seen(nlist);
    for (std::size_t q = begin; q < end; ++q) {
      for (std::size_t l = 0; l < nlist; ++l) {
        base[l] = centroid_distance(metric_, asking_[q].row, centroids_.row(l), centroids_.cols);
      }
      for (std::size_t w = 0; w < kListWeights.size(); ++w) {
        for (std::uint32_t l = 0; l < nlist; ++l) {
          const double mean_r2 =
              lists_.count[l] == 0 ? 0 : lists_.sum_r2[l] / static_cast<double>(lists_.count[l]);
          order[l] = {base[l] + radius_term(metric_, kListWeights[w], static_cast<float>(mean_r2)),
                      l};
        }
        std::sort(order.begin(), order.end());
        std::uint64_t sum = 0;
        for (const auto& [key, list] : order) seen[list] = sum += lists_.count[list];
        std::uint64_t* out = entries[w].data() + q * kNeighbours;
        for (const auto& [unused, row] : asking_[q].nearest.answers()) {
          *out++ = seen[lists_.primary[row]];
        }
      }
    }
  });
  return entries;
}

}  // namespace

std::array<double, kListWeights.size()> entries_by_weight(Metric metric, const VectorSource& sample,
                                                          MatrixView<float> centroids,
                                                          std::size_t piece, int threads) {
  const ThinSource rows(sample, std::min(sample.rows(), kMostRows));
  Survey survey(metric, rows, centroids, threads);
  survey.look(piece);
  std::array<double, kListWeights.size()> needed = {};
  auto entries = survey.entries();
  for (std::size_t w = 0; w < needed.size(); ++w) {
    const double place = kCoverage * static_cast<double>(entries[w].size());
    const auto quantile = entries[w].begin() + static_cast<std::ptrdiff_t>(place);
    std::nth_element(entries[w].begin(), quantile, entries[w].end());
    needed[w] = static_cast<double>(*quantile);
  }
  return needed;
}

float best_list_weight(const std::array<double, kListWeights.size()>& entries) {
  constexpr std::size_t kUsual = 2;
  static_assert(kListWeights[kUsual] == kUsualListWeight);
  const auto best = std::min_element(entries.begin(), entries.end());
  if (*best > (1 - kNoise) * entries[kUsual]) return kUsualListWeight;
  return kListWeights[static_cast<std::size_t>(best - entries.begin())];
}

std::size_t list_weight_bytes(std::size_t dim, std::size_t nlist, int threads) {
  const std::size_t per_query = 4 * dim + 8 * kNeighbours * (1 + kListWeights.size()) + 64;
  return 4 * kMostRows + kMostQueries * per_query +
         nlist * (16 + 20 * static_cast<std::size_t>(threads));
}

}  // namespace obliq
