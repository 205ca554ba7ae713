// The foreign rows of a merged segment (segment.h), by list and id.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "index/build/merge_sources.h"

namespace obliq {

class ForeignRows {
 public:
  void add(std::uint32_t list, const SourceRow& row) { rows_.push_back({list, row}); }
  /// Call once, behind the last add().
  void sort() { std::sort(rows_.begin(), rows_.end()); }

  std::size_t size() const { return rows_.size(); }
  /// The list of row i.
  std::uint32_t list_of(std::size_t i) const { return rows_[i].list; }
  /// Those of a list, by rising id.
  void rows_of(std::uint32_t list, std::vector<SourceRow>& rows) const {
    rows.clear();
    for (auto at = first_of(list, kLeastId); at != rows_.end() && at->list == list; ++at) {
      rows.push_back(at->row);
    }
  }
  /// The number of those of a list whose ids are below `id`.
  std::uint32_t rank(std::uint32_t list, std::int64_t id) const {
    return static_cast<std::uint32_t>(first_of(list, id) - first_of(list, kLeastId));
  }

 private:
  struct Row {
    std::uint32_t list;
    SourceRow row;
    bool operator<(const Row& other) const {
      return std::pair(list, row.id) < std::pair(other.list, other.row.id);
    }
  };
  static constexpr std::int64_t kLeastId = std::numeric_limits<std::int64_t>::min();

  std::vector<Row>::const_iterator first_of(std::uint32_t list, std::int64_t id) const {
    return std::lower_bound(rows_.begin(), rows_.end(), Row{list, {0, 0, id}});
  }

  std::vector<Row> rows_;
};

}  // namespace obliq
