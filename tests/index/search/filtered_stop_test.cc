// Where the stop rule ends a search under a filter, by the shares of rows that it has met.
#include "index/search/filtered_stop.h"

#include <gtest/gtest.h>

#include <limits>
#include <memory>

#include "index/filter/row_filter.h"
#include "tests/index/cases.h"
#include "tests/index/encoded.h"

namespace obliq {
namespace {

// As on data so hard that 2k answers take all lists and k do not.
TEST(FilteredStop, OfAllRowsIsThatOfASearchWithoutAFilter) {
  BuildOptions options;
  options.nlist = 4;
  const SegmentSet set = testing::encoded(testing::clustered(200, 8, 1), options);
  const RareStop stops[] = {{-5, 10}, {-std::numeric_limits<float>::infinity(), 400}};
  RowFilter filter;
  filter.segments.push_back(std::make_shared<const AllowedRows>(
      allowed_rows(set.segments()[0], nullptr, all_words_for(set.segments()[0]))));
  filter.count = 200;
  SearchProgress progress;
  progress.plan.filter = &filter;
  progress.plan.stop.by_rarity = stops;
  progress.met = progress.met_near = {50, 50};
  EXPECT_EQ(filtered_threshold(progress, set), -5.0F);
  EXPECT_EQ(filtered_lists(progress, set), 10);
  progress.met = progress.met_near = {50, 30};
  EXPECT_EQ(filtered_threshold(progress, set), -std::numeric_limits<float>::infinity());
}

}  // namespace
}  // namespace obliq
