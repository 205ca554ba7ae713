// The search for nearest rows by bytes, against comparing all by the kernels of fixed order.
#include "index/build/nearest_rows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "core/kernels/dispatch.h"
#include "tests/index/cases.h"

namespace obliq {
namespace {

using testing::clustered;

Nearest compare_all(MatrixView<float> rows, const float* x) {
  Nearest best = {0, std::numeric_limits<float>::infinity()};
  for (std::size_t j = 0; j < rows.rows; ++j) {
    const float distance2 = kernels().l2_sqr(x, rows.row(j), rows.cols);
    if (distance2 < best.distance2) best = {static_cast<std::uint32_t>(j), distance2};
  }
  return best;
}

void expect_nearest(const Matrix<float>& rows, const Matrix<float>& x, bool guess) {
  const NearestRows search(rows.view());
  std::vector<Nearest> nearest(x.rows);
  std::vector<std::uint32_t> guesses(x.rows, static_cast<std::uint32_t>(rows.rows - 1));
  search.search(x.view(), guess ? guesses.data() : nullptr, nearest.data());
  for (std::size_t i = 0; i < x.rows; ++i) {
    const Nearest expected = compare_all(rows.view(), x.row(i));
    ASSERT_EQ(nearest[i].row, expected.row) << "row " << i << " of dim " << x.cols;
    ASSERT_EQ(nearest[i].distance2, expected.distance2) << "row " << i << " of dim " << x.cols;
  }
}

TEST(NearestRows, AreThoseOfComparingAllWhateverTheDimensionAndTheGuess) {
  for (const std::size_t dim : {1, 2, 3, 7, 32, 100, 385}) {
    for (const std::size_t count : {1, 15, 16, 65, 300}) {
      const auto x = clustered(60, dim, 1, 20);
      const auto rows = clustered(count, dim, 2, 20);
      expect_nearest(rows, x, false);
      expect_nearest(rows, x, true);
    }
  }
}

// Bytes tell nothing of most of these: one coordinate is a thousand times the others, the lengths
// span twelve powers of ten, rows repeat, and some are zero or next to nothing.
TEST(NearestRows, AreExactWhereBytesAreCoarse) {
  auto x = clustered(100, 40, 3, 10);
  auto rows = clustered(200, 40, 4, 10);
  for (Matrix<float>* all : {&x, &rows}) {
    for (std::size_t i = 0; i < all->rows; ++i) {
      float* row = all->row(i);
      if (i % 7 == 0) row[3] *= 1000;
      if (i % 11 == 1) std::transform(row, row + 40, row, [](float v) { return v * 1e-6F; });
      if (i % 13 == 2) std::transform(row, row + 40, row, [](float v) { return v * 1e6F; });
      if (i % 17 == 3) std::transform(row, row + 40, row, [](float v) { return v * 1e-36F; });
      if (i % 19 == 4) std::fill_n(row, 40, 0.0F);
      if (i % 23 == 5) std::copy_n(all->row(i - 2), 40, row);
    }
  }
  expect_nearest(rows, x, false);
  expect_nearest(rows, x, true);
}

TEST(NearestRows, SomeAreThoseOfLeastBoundAndNoBoundIsAboveItsDistance) {
  constexpr std::size_t kWanted = 9;
  const auto x = clustered(50, 64, 5, 20);
  const auto rows = clustered(400, 64, 6, 20);
  const NearestRows search(rows.view());
  std::vector<Nearest> nearest(x.rows);
  std::vector<BoundedRow> some(x.rows * kWanted);
  std::vector<BoundedRow> all(x.rows * rows.rows);
  search.search_some(x.view(), kWanted, nearest.data(), some.data());
  search.search_some(x.view(), rows.rows, nearest.data(), all.data());
  for (std::size_t i = 0; i < x.rows; ++i) {
    const float norm2 = kernels().dot(x.row(i), x.row(i), x.cols);
    std::vector<bool> met(rows.rows);
    for (std::size_t j = 0; j < rows.rows; ++j) {
      const auto [bound, row] = all[i * rows.rows + j];
      met[row] = true;
      // 1e-4: the roundings of 64 dims, twice over.
      EXPECT_LE(bound, (kernels().l2_sqr(x.row(i), rows.row(row), x.cols) - norm2) + 1e-4 * norm2);
      if (j < kWanted) {
        EXPECT_EQ(some[i * kWanted + j], all[i * rows.rows + j]);
      }
    }
    EXPECT_EQ(std::count(met.begin(), met.end(), true), static_cast<long>(rows.rows));
    EXPECT_EQ(nearest[i].row, compare_all(rows.view(), x.row(i)).row);
  }
}

}  // namespace
}  // namespace obliq
