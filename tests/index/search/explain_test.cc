// What a search tells of its work: what it counts for the query alone, and why it ended.
#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "index/index_access.h"
#include "obliq/index.h"
#include "tests/index/cases.h"

namespace obliq {
namespace {

using testing::clustered;

constexpr std::size_t kDim = 16;

class Explain : public ::testing::Test {
 protected:
  Explain() {
    BuildOptions options;
    options.nlist = 40;
    options.quantizer = "sq8";
    options.raw = RawTier::fp16;
    options.spill = 0.5;
    index_.emplace(Index::build(base_.view(), options));
  }
  SearchEnd end(SearchOptions options) const {
    std::vector<SearchExplanation> work;
    options.explain = &work;
    (void)index_->search(queries_.view().slice(0, 1), options);
    return work.at(0).end;
  }

  const Matrix<float> base_ = clustered(2000, kDim, 1);
  const Matrix<float> queries_ = clustered(300, kDim, 2);
  std::optional<Index> index_;
};

TEST_F(Explain, IsWhatEachQueryCountsAloneAndChangesNoAnswer) {
  for (const bool tuned : {false, true}) {
    SearchOptions options;
    if (!tuned) options.nprobe = 5;
    if (tuned) options.target_recall = 0.9;
    options.threads = 2;
    const SearchResult plain = index_->search(queries_.view(), options);
    std::vector<SearchExplanation> work(3);
    options.explain = &work;
    options.batch_order = BatchOrder::list;
    const SearchResult explained = index_->search(queries_.view(), options);
    EXPECT_EQ(explained.ids.values, plain.ids.values);
    EXPECT_EQ(explained.distances.values, plain.distances.values);
    ASSERT_EQ(work.size(), queries_.rows);
    options.explain = nullptr;
    for (std::size_t q = 0; q < queries_.rows; ++q) {
      SearchCounters counters;
      std::vector<float> distances(options.k);
      std::vector<std::int64_t> ids(options.k);
      IndexAccess::search(*index_, queries_.view().slice(q, 1), options, distances.data(),
                          ids.data(), &counters);
      EXPECT_EQ(work[q].lists, counters.lists);
      EXPECT_EQ(work[q].entries, counters.entries);
      EXPECT_EQ(work[q].refined, counters.refined);
      EXPECT_EQ(work[q].exact, counters.exact);
      EXPECT_GT(work[q].exact, 0U);
      if (!tuned) {
        EXPECT_EQ(work[q].lists, 5U);
        EXPECT_EQ(work[q].end, SearchEnd::nprobe);
      }
    }
  }
}

TEST_F(Explain, TellsWhyNoFurtherListWasScanned) {
  EXPECT_EQ(end({.nprobe = 3}), SearchEnd::nprobe);
  EXPECT_EQ(end({.nprobe = 40}), SearchEnd::all_lists);
  EXPECT_EQ(end({.k = 2000, .nprobe = 1}), SearchEnd::all_lists);
  EXPECT_EQ(end({.k = 200, .nprobe = 1}), SearchEnd::k_found);
  EXPECT_EQ(end({.nprobe = 1, .target_recall = 0.9}), SearchEnd::nprobe);
  const std::uint32_t lists[] = {4, 7};
  EXPECT_EQ(end({.lists = {lists, 1, 2}}), SearchEnd::given);
}

TEST_F(Explain, TellsOfTheStopRule) {
  Tuning tuning = index_->stats().tuning;
  ASSERT_GT(tuning.queries, 0U);
  for (auto& ladder : tuning.ladders) {
    for (auto& target : ladder.targets) {
      target.uses_stop_rule = true;
      target.threshold = 1e9F;  // at once
    }
  }
  IndexAccess::set_tuning(*index_, tuning);
  EXPECT_EQ(end({.target_recall = 0.5}), SearchEnd::stop_rule);
}

TEST(Explanations, OfAnEmptyBatchAreNone) {
  const Matrix<float> base = clustered(50, kDim, 3);
  const Index index = Index::build(base.view());
  std::vector<SearchExplanation> work(3);
  SearchOptions options;
  options.explain = &work;
  (void)index.search({base.values.data(), 0, kDim}, options);
  EXPECT_TRUE(work.empty());
}

}  // namespace
}  // namespace obliq
