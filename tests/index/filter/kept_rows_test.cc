// What a filter keeps of the segments it was used with: looked up by the segment and the rows
// deleted of it.
#include <gtest/gtest.h>

#include <memory>

#include "index/filter/filter_access.h"
#include "tests/index/cases.h"
#include "tests/index/encoded.h"

namespace obliq {
namespace {

constexpr std::size_t kN = 200;

// Changes of a collection make states of which a thread may still use the oldest.
TEST(KeptRows, OfDeletedRowsThatAreForgottenAreNotThoseOfAStateWithoutAny) {
  BuildOptions options;
  options.nlist = 4;
  const SegmentSet before = testing::encoded(testing::clustered(kN, 8, 1), options);
  const ColumnSchema schema;
  const Filter filter = Filter::deny({});
  const auto count = [&](const SegmentSet& set) {
    return FilterAccess::rows(filter, {set, schema})->count;
  };
  EXPECT_EQ(count(before), kN);
  {
    auto deleted = std::make_shared<RowBits>(kN);
    deleted->add(17);
    const SegmentSet after(before.shared_model(), before.segments(), {deleted});
    EXPECT_EQ(count(after), kN - 1);
    EXPECT_EQ(count(before), kN);
    EXPECT_EQ(count(after), kN - 1);
  }
  EXPECT_EQ(count(before), kN) << "what was deleted meanwhile is no answer";
}

}  // namespace
}  // namespace obliq
