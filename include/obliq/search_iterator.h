// The neighbours of one query, batch after batch, until all have been handed out.
#pragma once

#include <cstddef>
#include <memory>

#include "obliq/export.h"
#include "obliq/index.h"

namespace obliq {

/// No neighbour comes twice, and each batch is in order; one that a search would have missed may
/// come in a later batch. One thread at a time. An iterator of a collection goes on with what was
/// there when it was made.
class OBLIQ_API SearchIterator {
 public:
  /// The next k neighbours or as many as are left, [1][that many]: 0 at the end. Throws
  /// std::invalid_argument where k is 0. Cost: a search for as many answers as were handed out and
  /// k more.
  SearchResult next(std::size_t k);

  SearchIterator(SearchIterator&&) noexcept;
  SearchIterator& operator=(SearchIterator&&) noexcept;
  ~SearchIterator();

 private:
  friend struct IteratorAccess;
  struct Impl;
  explicit SearchIterator(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace obliq
