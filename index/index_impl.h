// The inside of Index.
#pragma once

#include <memory>
#include <utility>

#include "index/index_parts.h"
#include "obliq/index.h"

namespace obliq {

struct OBLIQ_HIDDEN Index::Impl : IndexParts {
  explicit Impl(SegmentSet made, Tuning known = {}, CollectionFacts knows = {},
                std::shared_ptr<SearchPools> scratch = std::make_shared<SearchPools>(),
                bool has_changed = false)
      : IndexParts(std::move(made), std::move(known), std::move(scratch), has_changed,
                   std::move(knows)) {}
  explicit Impl(const Segment& made) : Impl(SegmentSet(made.model, {made}), made.tuning) {}
};

}  // namespace obliq
