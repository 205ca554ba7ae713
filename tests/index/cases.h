// Small sets and a brute-force answer for the index tests.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/exact_distance.h"
#include "core/kernels/dispatch.h"
#include "core/random.h"
#include "index/segment/vector_transform.h"
#include "obliq/index.h"

namespace obliq::testing {

/// n vectors around `centres` Gaussian centres, so that lists have something to hold.
inline Matrix<float> clustered(std::size_t n, std::size_t dim, std::uint64_t seed,
                               std::size_t centres = 10) {
  Random random(seed);
  Matrix<float> centre(centres, dim);
  for (float& value : centre.values) value = static_cast<float>(2 * random.gaussian());
  Matrix<float> x(n, dim);
  for (std::size_t i = 0; i < n; ++i) {
    const float* c = centre.row(random.below(centres));
    for (std::size_t j = 0; j < dim; ++j) {
      x.row(i)[j] = c[j] + static_cast<float>(random.gaussian());
    }
  }
  return x;
}

/// Metric's distance of vectors of any length, by the kernels that the raw tier uses.
inline float metric_distance(Metric metric, const float* q, const float* x, std::size_t dim) {
  if (metric != Metric::cosine) return obliq::exact_distance(metric, q, x, dim);
  std::vector<float> unit_q(q, q + dim);
  std::vector<float> unit_x(x, x + dim);
  normalise(unit_q.data(), dim);
  normalise(unit_x.data(), dim);
  return obliq::exact_distance(metric, unit_q.data(), unit_x.data(), dim);
}

/// All base vectors by (distance, position), nearest first.
inline std::vector<std::pair<float, std::int64_t>> brute_force(Metric metric,
                                                               const Matrix<float>& base,
                                                               const float* query) {
  std::vector<std::pair<float, std::int64_t>> all;
  for (std::size_t i = 0; i < base.rows; ++i) {
    all.emplace_back(metric_distance(metric, query, base.row(i), base.cols), i);
  }
  std::sort(all.begin(), all.end());
  return all;
}

/// Share of the true k nearest that `result` holds, over all queries.
inline double recall(Metric metric, const Matrix<float>& base, const Matrix<float>& queries,
                     const SearchResult& result) {
  const std::size_t k = result.ids.cols;
  std::size_t hits = 0;
  for (std::size_t i = 0; i < queries.rows; ++i) {
    const auto truth = brute_force(metric, base, queries.row(i));
    for (std::size_t j = 0; j < k; ++j) {
      const std::int64_t* ids = result.ids.row(i);
      hits += std::count(ids, ids + k, truth[j].second) > 0 ? 1 : 0;
    }
  }
  return static_cast<double>(hits) / static_cast<double>(k * queries.rows);
}

/// Builds and searches on one thread and on three, in one call and query by query: the same
/// answers.
inline void expect_threads_and_batches_do_not_matter(const Matrix<float>& base,
                                                     const Matrix<float>& queries,
                                                     BuildOptions build, SearchOptions search) {
  build.threads = 1;
  const Index index = Index::build(base.view(), build);
  build.threads = 3;
  const Index same = Index::build(base.view(), build);
  search.threads = 1;
  const auto alone = index.search(queries.view(), search);
  search.threads = 3;
  const auto together = same.search(queries.view(), search);
  EXPECT_EQ(alone.ids.values, together.ids.values);
  EXPECT_EQ(alone.distances.values, together.distances.values);
  for (std::size_t i = 0; i < queries.rows; ++i) {
    const auto one = index.search(queries.view().slice(i, 1), search);
    EXPECT_TRUE(std::equal(one.ids.values.begin(), one.ids.values.end(), alone.ids.row(i)));
  }
}

}  // namespace obliq::testing
