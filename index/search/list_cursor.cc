// Keys behind the trusted ones are roughly sorted, so that the mean of the next few can be told
// before they are handed out.
#include "index/search/list_cursor.h"

#include <algorithm>
#include <limits>

namespace obliq {

float ListCursor::mean_key_ahead(std::size_t count) const {
  count = std::min(count, sorted - taken);
  if (count == 0) return std::numeric_limits<float>::infinity();
  float sum = 0;
  for (std::size_t i = taken; i < taken + count; ++i) sum += ranked[i].key;
  return sum / static_cast<float>(count);
}

std::size_t ListCursor::bytes() const {
  return ranked.capacity() * sizeof(Probe) + is_ranked.capacity() / 8;
}

std::size_t RouteScratch::bytes() const {
  return (signs.keys.capacity() + signs.lists.capacity() + entries.capacity() + pool.capacity()) *
             sizeof(float) +
         2 * (ranked.capacity() + sorted.capacity()) * sizeof(Probe);  // the sorter holds as much
}

}  // namespace obliq
