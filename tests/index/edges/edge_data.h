// Sets at the edges of what floats hold, and truth in double precision, which is still right there.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/random.h"
#include "obliq/index.h"

namespace obliq::testing {

/// A base and queries of the same law.
struct EdgeSet {
  std::string name;
  Matrix<float> base;
  Matrix<float> queries;
};

inline void fill_gaussian(Matrix<float>& x, std::uint64_t seed) {
  Random random(seed);
  for (float& value : x.values) value = static_cast<float>(random.gaussian());
}

/// Gaussian centres of spread 1 around `offset` in every coordinate, and points around them with
/// Gaussian noise of deviation `noise`.
inline EdgeSet tight_clusters(std::size_t n, std::size_t dim, std::size_t centres, double noise,
                              double offset = 0) {
  Random random(77);
  Matrix<double> centre(centres, dim);
  for (double& value : centre.values) value = offset + random.gaussian();
  EdgeSet set{"noise " + std::to_string(noise), Matrix<float>(n, dim), Matrix<float>(50, dim)};
  for (Matrix<float>* x : {&set.base, &set.queries}) {
    for (std::size_t i = 0; i < x->rows; ++i) {
      const double* c = centre.row(random.below(centres));
      for (std::size_t j = 0; j < dim; ++j) {
        x->row(i)[j] = static_cast<float>(c[j] + noise * random.gaussian());
      }
    }
  }
  return set;
}

inline double exact_product(const float* q, const float* x, std::size_t dim) {
  double sum = 0;
  for (std::size_t i = 0; i < dim; ++i) sum += double{q[i]} * x[i];
  return sum;
}

/// The metric's distance in double precision; cosine as half the squared distance of unit vectors.
inline double double_distance(Metric metric, const float* q, const float* x, std::size_t dim) {
  if (metric == Metric::ip) return -exact_product(q, x, dim);
  double q_scale = 1;
  double x_scale = 1;
  if (metric == Metric::cosine) {
    q_scale = std::sqrt(exact_product(q, q, dim));
    x_scale = std::sqrt(exact_product(x, x, dim));
    if (q_scale == 0 || x_scale == 0) return 1;
  }
  double sum = 0;
  for (std::size_t i = 0; i < dim; ++i) {
    const double difference = q[i] / q_scale - x[i] / x_scale;
    sum += difference * difference;
  }
  return metric == Metric::cosine ? sum / 2 : sum;
}

/// The share of the k nearest that `result` holds; an answer counts when it is no farther than the
/// k-th neighbour by more than `tie` of that distance.
inline double double_recall(Metric metric, const EdgeSet& set, const SearchResult& result,
                            double tie = 1e-9) {
  const std::size_t k = std::min(result.ids.cols, set.base.rows);
  const std::size_t dim = set.base.cols;
  std::size_t hits = 0;
  std::vector<double> distances(set.base.rows);
  for (std::size_t q = 0; q < set.queries.rows; ++q) {
    for (std::size_t i = 0; i < distances.size(); ++i) {
      distances[i] = double_distance(metric, set.queries.row(q), set.base.row(i), dim);
    }
    std::vector<double> sorted = distances;
    std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(k - 1),
                     sorted.end());
    const double limit = sorted[k - 1] + tie * std::abs(sorted[k - 1]);
    std::vector<std::int64_t> ids(result.ids.row(q), result.ids.row(q) + result.ids.cols);
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    std::size_t right = 0;
    for (const std::int64_t id : ids) {
      right += id >= 0 && distances[static_cast<std::size_t>(id)] <= limit ? 1 : 0;
    }
    hits += std::min(right, k);
  }
  return static_cast<double>(hits) / static_cast<double>(k * set.queries.rows);
}

inline std::size_t missing(const SearchResult& result) {
  return static_cast<std::size_t>(
      std::count(result.ids.values.begin(), result.ids.values.end(), std::int64_t{-1}));
}

/// Options of a preset by its name.
inline BuildOptions preset_options(std::string_view name) {
  const Preset& preset = parse_preset(name);
  BuildOptions build;
  build.quantizer = preset.quantizer;
  build.raw = preset.raw;
  build.spill = preset.spill;
  return build;
}

}  // namespace obliq::testing
