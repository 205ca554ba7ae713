// Copies of an index, and the vectors of many ids.
#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>
#include <vector>

#include "obliq/index.h"
#include "tests/index/cases.h"

namespace obliq {
namespace {

using testing::clustered;

TEST(Copy, HasATuningOfItsOwnAndOutlivesTheOriginal) {
  const Matrix<float> base = clustered(2000, 16, 1);
  const Matrix<float> queries = clustered(100, 16, 2);
  std::optional<Index> original = Index::build(base.view(), {.nlist = 20});
  const SearchOptions search = {.nprobe = 20, .confidence = 1};
  const SearchResult expected = original->search(queries.view(), search);
  const std::size_t before = original->stats().tuning.queries;
  Index copy = original->copy();
  EXPECT_EQ(copy.stats().tuning.queries, before);
  copy.tune(queries.view());
  EXPECT_EQ(copy.stats().tuning.queries, 100U);
  EXPECT_EQ(original->stats().tuning.queries, before);
  original.reset();
  const SearchResult found = copy.search(queries.view(), search);
  EXPECT_EQ(found.ids.values, expected.ids.values);
  EXPECT_EQ(found.distances.values, expected.distances.values);
}

TEST(Reconstruct, GivesTheVectorsOfManyIds) {
  const Matrix<float> base = clustered(300, 16, 1);
  std::vector<std::int64_t> ids;
  for (std::int64_t i = 0; i < 300; ++i) ids.push_back(-2 - 3 * i);
  for (const bool external : {false, true}) {
    BuildOptions build = {.nlist = 5, .raw = RawTier::fp32};
    if (external) build.ids = {ids.data(), ids.size(), 1};
    const Index index = Index::build(base.view(), build);
    std::vector<std::int64_t> wanted;
    std::vector<float> expected;
    for (const std::size_t row : {299U, 7U, 7U, 0U}) {
      wanted.push_back(external ? ids[row] : static_cast<std::int64_t>(row));
      expected.insert(expected.end(), base.row(row), base.row(row) + 16);
    }
    std::vector<float> found(expected.size());
    index.reconstruct(wanted, found.data());
    EXPECT_EQ(found, expected);
    wanted[2] = 12345;
    std::vector<float> untouched(expected.size(), 3);
    EXPECT_THROW(index.reconstruct(wanted, untouched.data()), std::invalid_argument);
    EXPECT_EQ(untouched, std::vector<float>(expected.size(), 3));
    index.reconstruct(std::vector<std::int64_t>{}, nullptr);
  }
}

}  // namespace
}  // namespace obliq
