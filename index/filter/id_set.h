// Ids that may be answers, or that may not, and the rows of a segment that they allow.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "index/segment/segment.h"

namespace obliq {

class IdSet {
 public:
  /// `allowed`: these ids; else all others.
  IdSet(std::span<const std::int64_t> ids, bool allowed);

  /// Words as words_for() makes them. Cost: where ids were given a binary search for each of these
  /// or, where they are many, a pass over the rows; with positions a pass over the rows.
  std::vector<std::uint64_t> rows(const Segment& segment) const;

  std::size_t size() const { return ids_.size(); }  ///< ids that were given, each once

 private:
  std::vector<std::int64_t> ids_;  // rising
  bool allowed_;
};

}  // namespace obliq
