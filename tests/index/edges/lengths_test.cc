// Under cosine a vector's length means nothing: an index of vectors and queries of any length, even
// of lengths whose squares no float holds, answers as that of the same directions.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/index/edges/edge_data.h"

namespace obliq {
namespace {

using testing::EdgeSet;

// Row i times sizes[i modulo their number].
Matrix<float> scaled(Matrix<float> x, const std::vector<float>& sizes) {
  for (std::size_t i = 0; i < x.rows; ++i) {
    for (std::size_t j = 0; j < x.cols; ++j) x.row(i)[j] *= sizes[i % sizes.size()];
  }
  return x;
}

const std::vector<std::vector<float>> kSizes = {
    {1e-25F}, {1e-38F}, {1e25F}, {3e37F}, {1, 1e-25F, 1e25F, 1e-38F, 1e37F}};

class Lengths : public ::testing::TestWithParam<std::string> {};

// Coordinates of 1e-38 have 23 bits or less, so that distances may differ in their roundings.
TEST_P(Lengths, MeanNothingUnderCosine) {
  const EdgeSet set = testing::tight_clusters(600, 16, 12, .4, .5);
  BuildOptions build;
  build.metric = Metric::cosine;
  build.quantizer = GetParam();
  build.raw = RawTier::fp32;
  build.nlist = 12;
  SearchOptions search;
  search.nprobe = 12;
  search.confidence = 1;
  const SearchResult plain =
      Index::build(set.base.view(), build).search(set.queries.view(), search);
  for (const auto& sizes : kSizes) {
    const Matrix<float> base = scaled(set.base, sizes);
    const Matrix<float> queries = scaled(set.queries, sizes);
    const Index index = Index::build(base.view(), build);
    const SearchResult found = index.search(queries.view(), search);
    EXPECT_EQ(found.ids.values, plain.ids.values) << sizes[0];
    for (std::size_t i = 0; i < found.distances.values.size(); ++i) {
      ASSERT_NEAR(found.distances.values[i], plain.distances.values[i], 1e-5) << sizes[0];
    }
    std::vector<float> x(16);
    index.reconstruct(1, x.data());
    double square = 0;
    for (const float value : x) square += double{value} * value;
    EXPECT_NEAR(square, 1, 1e-5) << sizes[0];
  }
}

INSTANTIATE_TEST_SUITE_P(Edges, Lengths, ::testing::Values("sq8", "lm4"),
                         [](const auto& spec) { return spec.param; });

}  // namespace
}  // namespace obliq
