// Equal vectors: lists that stay empty, distances that tie, and answers that must be found anyhow.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "index/build/nearest_rows.h"
#include "tests/index/edges/edge_data.h"

namespace obliq {
namespace {

using testing::double_recall;
using testing::EdgeSet;
using testing::missing;

// `distinct` different Gaussian vectors; row i is the number pick(i) of them.
template <typename Pick>
EdgeSet copies(const char* name, std::size_t n, std::size_t dim, std::size_t distinct, Pick pick) {
  Matrix<float> vectors(distinct, dim);
  testing::fill_gaussian(vectors, 3);
  EdgeSet set{name, Matrix<float>(n, dim), Matrix<float>(20, dim)};
  for (std::size_t i = 0; i < n; ++i) std::copy_n(vectors.row(pick(i)), dim, set.base.row(i));
  for (std::size_t i = 0; i < set.queries.rows; ++i) {  // copies and strangers
    std::copy_n(set.base.row(i * n / 20), dim, set.queries.row(i));
    for (std::size_t j = 0; i % 2 == 1 && j < dim; ++j) {
      set.queries.row(i)[j] += .1F * vectors.row(0)[dim - 1 - j];
    }
  }
  return set;
}

std::vector<EdgeSet> sets_of_copies(std::size_t dim) {
  std::vector<EdgeSet> sets;
  sets.push_back(copies("a thousand copies and 50 others", 1050, dim, 51,
                        [](std::size_t i) { return i < 1000 ? 0 : i - 999; }));
  sets.push_back(copies("all equal", 1200, dim, 1, [](std::size_t) { return 0; }));
  sets.push_back(copies("two values", 1200, dim, 2, [](std::size_t i) { return i % 2; }));
  sets.push_back(copies("nine of ten are copies", 2000, dim, 201,
                        [](std::size_t i) { return i % 10 == 0 ? 1 + i / 10 : 0; }));
  sets.push_back(
      copies("fewer values than lists", 1500, dim, 30, [](std::size_t i) { return i * i % 30; }));
  return sets;
}

class Copies : public ::testing::TestWithParam<std::tuple<std::string, Metric>> {};

// Distances are equal in hundreds, so an answer at the distance of the k-th counts. Of the
// quantizers lm2 has the largest error: between different Gaussian vectors it stays far below their
// distance, but the order of the 50 others is its own.
TEST_P(Copies, AreAllFoundWithEveryNprobe) {
  const auto& [preset, metric] = GetParam();
  for (const std::size_t dim : {16}) {
    for (const EdgeSet& set : sets_of_copies(dim)) {
      BuildOptions build = testing::preset_options(preset);
      build.metric = metric;
      const Index index = Index::build(set.base.view(), build);
      for (const std::size_t nprobe : {1, 16, 64, 100'000}) {
        SearchOptions search;
        search.nprobe = nprobe;
        const SearchResult found = index.search(set.queries.view(), search);
        EXPECT_EQ(missing(found), 0U) << set.name << ", nprobe " << nprobe;
        if (nprobe < 64) continue;
        EXPECT_GT(double_recall(metric, set, found, 1e-5), preset == "tiny" ? .7 : .9)
            << set.name << ", dim " << dim << ", nprobe " << nprobe;
      }
      for (const std::size_t k : {1, 500}) {
        SearchOptions search;
        search.k = k;
        EXPECT_EQ(missing(index.search(set.queries.view(), search)), 0U) << set.name << " k " << k;
        // Of few learn queries, codes of two bits may lose more than a tenth.
        search.target_recall = preset == "tiny" ? .5 : .9;
        EXPECT_EQ(missing(index.search(set.queries.view(), search)), 0U) << set.name << " k " << k;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Edges, Copies,
    ::testing::Combine(::testing::Values("fast", "small", "tiny", "exact"),
                       ::testing::Values(Metric::l2, Metric::ip, Metric::cosine)),
    [](const auto& at) { return std::get<0>(at.param) + "_" + to_string(std::get<1>(at.param)); });

// With groups, too, and with lists of given centroids that no vector is near.
TEST(EmptyLists, AreNeverCountedAsProbed) {
  constexpr std::size_t kDim = 24;
  EdgeSet set = testing::tight_clusters(3000, kDim, 12, .2);
  Matrix<float> centroids(80, kDim);
  for (std::size_t l = 0; l < 80; ++l) {  // 8 that have vectors, 72 far away
    std::copy_n(set.base.row(l), kDim, centroids.row(l));
    for (std::size_t j = 0; l % 10 != 0 && j < kDim; ++j) centroids.row(l)[j] += 1000;
  }
  for (float& value : set.queries.values) value += 900;  // nearer to the lists without vectors
  for (const std::size_t groups : {1, 9}) {
    BuildOptions build;
    build.centroids = centroids.view();
    build.list_groups = groups;
    const Index index = Index::build(set.base.view(), build);
    SearchOptions search;
    search.confidence = 1;
    for (const std::size_t nprobe : {1, 8, 80}) {
      search.nprobe = nprobe;
      const SearchResult found = index.search(set.queries.view(), search);
      EXPECT_EQ(missing(found), 0U) << nprobe << " " << groups;
    }
    search.nprobe = 8;
    const SearchResult some = index.search(set.queries.view(), search);
    search.nprobe = 80;
    EXPECT_EQ(some.ids.values, index.search(set.queries.view(), search).ids.values);
    search.k = 3000;
    EXPECT_EQ(missing(index.search(set.queries.view(), search)), 0U);
  }
}

// An explicit nprobe is the least: what its lists do not hold comes from the next ones.
TEST(FewProbes, GoOnUntilThereAreKAnswers) {
  const EdgeSet set = testing::tight_clusters(4000, 16, 40, .1);
  for (const double spill : {0.0, .5}) {
    BuildOptions build;
    build.quantizer = "sq8";
    build.spill = spill;
    build.nlist = 200;
    const Index index = Index::build(set.base.view(), build);
    SearchOptions search;
    search.nprobe = 1;
    for (const std::size_t k : {50, 700, 4000}) {
      search.k = k;
      for (const auto order : {BatchOrder::query, BatchOrder::list}) {
        search.batch_order = order;
        const SearchResult found = index.search(set.queries.view(), search);
        EXPECT_EQ(missing(found), 0U) << k;
        for (std::size_t q = 0; q < set.queries.rows; ++q) {
          const std::set<std::int64_t> ids(found.ids.row(q), found.ids.row(q) + k);
          EXPECT_EQ(ids.size(), k) << "an answer comes twice";
        }
      }
    }
    search.k = 4001;
    EXPECT_EQ(missing(index.search(set.queries.view(), search)), set.queries.rows);
  }
}

// Equal rows: the smallest number, and no comparison with the others.
TEST(NearestOfEqualRows, IsTheFirst) {
  Matrix<float> rows(300, 20);
  Matrix<float> kinds(3, 20);
  testing::fill_gaussian(kinds, 5);
  for (std::size_t i = 0; i < rows.rows; ++i) std::copy_n(kinds.row(i % 3), 20, rows.row(i));
  const NearestRows search(rows.view());
  std::vector<std::uint32_t> guesses = {299, 120, 7};
  Nearest nearest[3];
  search.search(kinds.view(), guesses.data(), nearest);
  for (std::uint32_t i = 0; i < 3; ++i) EXPECT_EQ(nearest[i].row, i);
  BoundedRow some[3 * 5];
  search.search_some(kinds.view(), 5, nearest, some);
  for (std::uint32_t i = 0; i < 3; ++i) {
    EXPECT_EQ(nearest[i].row, i);
    EXPECT_EQ(some[5 * i].second, i);
    EXPECT_LT(some[5 * i + 2].first, std::numeric_limits<float>::infinity());
    EXPECT_EQ(some[5 * i + 3].first, std::numeric_limits<float>::infinity());
  }
}

}  // namespace
}  // namespace obliq
