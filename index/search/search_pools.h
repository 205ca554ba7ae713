// The scratch memory of searches under one model, kept between calls and between the sets of
// segments that are searched one after the other. It holds on to no segment.
#pragma once

#include <cstddef>

#include "index/search/batch_searcher.h"
#include "index/search/scratch_pool.h"
#include "index/search/searcher.h"

namespace obliq {

struct SearchPools {
  static constexpr std::size_t kKeptBytes = std::size_t{32} << 20;
  static constexpr std::size_t kKeptBatchBytes = kKeptBytes / 4 * 3;  ///< of queries in list order

  /// Bytes that are kept: at most kKeptBytes, whatever the calls were.
  std::size_t held() { return single.held() + batch.held(); }

  ScratchPool<SearchScratch> single{kKeptBytes - kKeptBatchBytes};
  ScratchPool<BatchScratch> batch{kKeptBatchBytes};
};

}  // namespace obliq
