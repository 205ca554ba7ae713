// Which answers at the same distance are kept, and in which order they come.
#include "core/top_k.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace obliq {
namespace {

/// Ids of rows, which are counted when they are read.
struct CountedIds {
  std::vector<std::int64_t> ids;
  mutable int read = 0;

  TopK::Ids view() const {
    return {[](const void* context, std::uint32_t row) {
              const auto& self = *static_cast<const CountedIds*>(context);
              ++self.read;
              return self.ids[row];
            },
            this};
  }
};

TEST(TopK, KeepsTheSmallerIdsAtTheLastPlaceWhateverTheOrder) {
  const CountedIds ids = {{50, -7, 20, 10, 40}};
  TopK top;
  for (const std::vector<std::uint32_t>& order :
       {std::vector<std::uint32_t>{0, 1, 2, 3, 4}, {4, 3, 2, 1, 0}, {2, 0, 4, 1, 3}}) {
    top.reset(3, ids.view());
    for (const std::uint32_t row : order) top.push(row == 4 ? 1.0F : 2.0F, row);
    const std::vector<TopK::Answer> expected = {{1.0F, 4U}, {2.0F, 1U}, {2.0F, 3U}};
    EXPECT_EQ(top.sorted(), expected);
  }
}

TEST(TopK, ReadsNoIdsWhereDistancesDiffer) {
  const CountedIds ids = {std::vector<std::int64_t>(100)};
  TopK top;
  top.reset(10, ids.view());
  for (std::uint32_t row = 0; row < 100; ++row) top.push(static_cast<float>(row * 37 % 100), row);
  EXPECT_EQ(top.sorted().front().second, 0U);
  EXPECT_EQ(ids.read, 0);
}

}  // namespace
}  // namespace obliq
