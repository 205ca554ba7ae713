#include "core/spread_rows.h"

#include <gtest/gtest.h>

#include <vector>

namespace obliq {
namespace {

TEST(SpreadRows, RangesCoverAllRowsAndDifferByOneAtMost) {
  for (std::size_t n = 1; n < 40; ++n) {
    for (std::size_t count = 1; count <= n; ++count) {
      EXPECT_EQ(spread_row(0, count, n), 0U);
      EXPECT_EQ(spread_row(count, count, n), n);
      for (std::size_t i = 0; i < count; ++i) {
        const std::size_t size = spread_row(i + 1, count, n) - spread_row(i, count, n);
        EXPECT_TRUE(size == n / count || size == n / count + 1) << n << " " << count << " " << i;
      }
    }
  }
}

TEST(SpreadRows, CopiesAsManyRowsAsThereAreAtMost) {
  const std::vector<float> values = {0, 1, 10, 11, 20, 21, 30, 31, 40, 41};
  const MatrixView<float> rows = {values.data(), 5, 2};
  EXPECT_EQ(spread_rows(rows, 2).values, (std::vector<float>{0, 1, 20, 21}));
  EXPECT_EQ(spread_rows(rows, 5).values, values);
  EXPECT_EQ(spread_rows(rows, 9).values, values);
  EXPECT_EQ(spread_rows(rows, 0).rows, 0U);
}

}  // namespace
}  // namespace obliq
