// How collections make iterators.
#pragma once

#include <memory>

#include "obliq/index.h"
#include "obliq/search_iterator.h"

namespace obliq {

struct IteratorAccess {
  /// Index::search_iterator; `keeps` is what the index belongs to, null: the caller keeps it.
  static SearchIterator make(const Index& index, MatrixView<float> query,
                             const SearchOptions& options, std::shared_ptr<const void> keeps);
  /// Of nothing.
  static SearchIterator none();
};

}  // namespace obliq
