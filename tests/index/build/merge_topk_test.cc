// Answers of several searches joined into one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>
#include <utility>
#include <vector>

#include "obliq/model.h"

namespace obliq {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(MergeTopk, KeepsTheNearestOfAllPartsAndEachIdOnce) {
  const auto part = [](std::vector<float> distances, std::vector<std::int64_t> ids) {
    SearchResult result{Matrix<float>(1, ids.size()), Matrix<std::int64_t>(1, ids.size())};
    result.distances.values = std::move(distances);
    result.ids.values = std::move(ids);
    return result;
  };
  const float inf = std::numeric_limits<float>::infinity();
  const std::vector<SearchResult> parts = {part({1, 2, inf}, {9, 4, -1}), part({1, 2}, {7, 4})};
  const SearchResult merged = merge_topk(parts, 4);
  EXPECT_THAT(merged.ids.values, ::testing::ElementsAre(7, 9, 4, -1));
  EXPECT_THAT(merged.distances.values, ::testing::ElementsAre(1, 1, 2, inf));
  EXPECT_THROW(merge_topk(parts, 0), std::invalid_argument);
  const auto refused = [&](const SearchResult& other, const char* words) {
    const std::vector<SearchResult> both = {parts[0], other};
    EXPECT_THAT([&] { merge_topk(both, 4); },
                ThrowsMessage<std::invalid_argument>(HasSubstr(words)));
  };
  refused(part({1, std::numeric_limits<float>::quiet_NaN()}, {7, 8}), "NaN to query 0");
  refused({Matrix<float>(2, 1), Matrix<std::int64_t>(2, 1)}, "to 1 and to 2 queries");
  refused({Matrix<float>(1, 1), Matrix<std::int64_t>(1, 2)}, "distances 1 x 1 and ids 1 x 2");
}

}  // namespace
}  // namespace obliq
