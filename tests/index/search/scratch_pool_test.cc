// Scratch memory: kept for the next call, but never more than a bound.
#include "index/search/scratch_pool.h"

#include <gtest/gtest.h>

#include <vector>

#include "index/search/parallel_searcher.h"
#include "tests/index/cases.h"
#include "tests/index/encoded.h"

namespace obliq {
namespace {

using testing::clustered;
using testing::encoded;

/// Scratch of the size that the test gives it.
struct Sized {
  explicit Sized(const TrainedModel&) {}
  std::size_t bytes() const { return size; }
  std::size_t size = 0;
};

TEST(ScratchPool, KeepsWhatFitsAndGivesBackTheRest) {
  const TrainedModel none;
  ScratchPool<Sized> pool(100);
  std::vector<std::unique_ptr<Sized>> used;
  for (const std::size_t size : {60U, 30U, 20U, 101U}) {
    used.push_back(pool.take(none));
    used.back()->size = size;
  }
  std::size_t held = 0;
  for (auto& scratch : used) {
    const std::size_t size = scratch->size;
    pool.give_back(std::move(scratch));
    if (held + size <= 100) held += size;
    EXPECT_EQ(pool.held(), held);
  }
  EXPECT_EQ(pool.take(none)->size, 30U);  // the last that was kept
  EXPECT_EQ(pool.held(), 60U);
  EXPECT_EQ(pool.take(none)->size, 60U);
  EXPECT_EQ(pool.take(none)->size, 0U);  // a new one
}

TEST(ScratchMemory, StaysBoundedWhateverTheBatch) {
  const auto base = clustered(4000, 32, 41);
  const auto queries = clustered(3000, 32, 42);
  BuildOptions build;
  build.nlist = 60;
  build.spill = .5;
  build.tune = false;
  const SegmentSet set = encoded(base, build);
  const auto pools = std::make_shared<SearchPools>();
  ParallelSearcher searcher(set, pools);
  for (const std::size_t k : {10U, 4000U, 10U}) {
    for (const BatchOrder order : {BatchOrder::list, BatchOrder::query}) {
      SearchPlan plan;
      plan.k = k;
      plan.stop.nprobe = 60;
      std::vector<float> distances(queries.rows * k);
      std::vector<std::int64_t> ids(queries.rows * k);
      SearchOptions options;
      options.batch_order = order;
      options.threads = 2;
      searcher.search(queries.view(), plan, options, distances.data(), ids.data(), nullptr);
      EXPECT_LE(pools->held(), SearchPools::kKeptBytes) << k;
      EXPECT_GE(ids.front(), 0);
      // 1,024 queries with heaps of 4,000 answers take more than that; with 10 they are kept.
      EXPECT_TRUE(k != 10 || pools->held() > 0) << k;
    }
  }
}

}  // namespace
}  // namespace obliq
