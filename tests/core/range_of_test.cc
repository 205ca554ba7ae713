#include "core/range_of.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace obliq {
namespace {

TEST(RangeOf, FindsTheEndsWhereverTheyAre) {
  for (const std::size_t n : {1, 15, 16, 17, 40}) {
    for (std::size_t at = 0; at < n; ++at) {
      std::vector<float> values(n, 0.5F);
      values[at] = 7;
      values[n - 1 - at] = -7;
      const auto [least, greatest] = range_of(std::span<const float>(values));
      EXPECT_EQ(least, -7) << n << " " << at;
      EXPECT_EQ(greatest, 2 * at + 1 == n ? *std::max_element(values.begin(), values.end()) : 7)
          << n << " " << at;
    }
  }
}

}  // namespace
}  // namespace obliq
