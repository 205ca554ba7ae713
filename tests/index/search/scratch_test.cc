// What an index keeps between searches: scratch memory, so that searches allocate nothing. It is
// bounded, whatever was asked before, and given back beyond the bound.
#include <gtest/gtest.h>
#include <malloc.h>

#include "tests/index/cases.h"

namespace obliq {
namespace {

using testing::clustered;

constexpr std::size_t kBound = 32U << 20;  // bytes; the index of this test has 2.5 MB

/// Bytes that this process has allocated and not freed.
std::size_t allocated() {
  const auto info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}

struct Batch {
  BatchOrder order;
  std::size_t k;
  std::size_t nprobe;
};

// Batches of 4,096 queries on 4 threads need up to 1,024 queries under way per thread at once; k
// and nprobe stretch what each of them holds.
TEST(Searches, ScratchMemoryStaysBounded) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer replaces malloc, and mallinfo2 does not count";
#endif
  const auto base = clustered(20000, 96, 61, 50);
  const auto queries = clustered(4096, 96, 62, 50);
  BuildOptions build;
  build.quantizer = "lm4";
  build.nlist = 200;
  build.kmeans_iterations = 2;
  build.tune = false;
  const Index index = Index::build(base.view(), build);
  index.search(queries.view().slice(0, 1));
  const std::size_t before = allocated();
  for (const Batch& batch : {Batch{BatchOrder::list, 10, 4}, Batch{BatchOrder::list, 10, 40},
                             Batch{BatchOrder::list, 500, 40}, Batch{BatchOrder::query, 500, 40},
                             Batch{BatchOrder::automatic, 1, 1}}) {
    SearchOptions search;
    search.k = batch.k;
    search.nprobe = batch.nprobe;
    search.threads = 4;
    search.batch_order = batch.order;
    index.search(queries.view(), search);
    const std::size_t after = allocated();
    EXPECT_LE(after, before + kBound)
        << to_string(batch.order) << " k " << batch.k << " nprobe " << batch.nprobe << ": "
        << (after - before) / (1 << 20) << " MB kept";
  }
}

}  // namespace
}  // namespace obliq
