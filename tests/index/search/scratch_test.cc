// What an index keeps between searches: scratch memory, so that searches allocate nothing. It is
// bounded, whatever was asked before, and given back beyond the bound.
#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>

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

class Searches : public ::testing::Test {
 protected:
  void SetUp() override {
#ifdef OBLIQ_SANITIZED
    GTEST_SKIP() << "a sanitizer replaces malloc, and mallinfo2 does not count";
#endif
  }
};

struct Batch {
  BatchOrder order;
  std::size_t k;
  std::size_t nprobe;
};

// Batches of 4,096 queries on 4 threads need up to 1,024 queries under way per thread at once; k
// and nprobe stretch what each of them holds.
TEST_F(Searches, ScratchMemoryStaysBounded) {
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

/// Bytes that malloc has from the system, free ones included.
std::size_t taken() {
  const auto info = ::mallinfo2();
  return info.arena + info.hblkhd;
}

/// Searches a large batch, and ends the process: with success if that left little with malloc.
[[noreturn]] void end_after_large_batch() {
  const auto base = clustered(3000, 16, 63, 20);
  const auto queries = clustered(2048, 16, 64, 20);
  BuildOptions build;
  build.nlist = 10;
  build.kmeans_iterations = 2;
  build.tune = false;
  const Index index = Index::build(base.view(), build);
  SearchOptions search;
  search.threads = 8;
  search.batch_order = BatchOrder::list;
  search.k = 2000;
  search.nprobe = 10;
  std::vector<float> distances(queries.rows * search.k);
  std::vector<std::int64_t> ids(queries.rows * search.k);
  index.search(queries.view().slice(0, 8), search, distances.data(), ids.data());
  const std::size_t before = taken();
  index.search(queries.view(), search, distances.data(), ids.data());
  const std::size_t after = taken();
  const std::size_t more = after - std::min(before, after);
  std::cerr << more / (1 << 20) << " MB more than before\n";
  std::_Exit(more <= kBound + (16U << 20) ? 0 : 1);
}

// What a call frees stays with malloc, in pieces between others: 116 MB if each of 8 threads has
// 256 queries of k = 2,000 under way, 40 MB if they are fewer. Threads, and the arenas of malloc,
// take some themselves. In a process of its own: arenas keep what other tests left in them.
TEST_F(Searches, LargeBatchLeavesLittleWithMalloc) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(end_after_large_batch(), ::testing::ExitedWithCode(0), "MB more than before");
}

}  // namespace
}  // namespace obliq
