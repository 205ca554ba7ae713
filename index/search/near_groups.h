// The upper level of the router where there are many lists: a query ranks all groups of lists
// (build/list_groups.h) by the key of lists, and looks at the signs of the centroids in the nearest
// groups only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "index/segment/centroid_code.h"
#include "index/segment/segment.h"
#include "obliq/search_counters.h"

namespace obliq {

/// Consecutive lists.
struct ListRange {
  std::uint32_t first;
  std::uint32_t count;
};

/// How many lists to look at for the best `pool` of them; never more for a smaller pool.
std::size_t lists_to_look_at(const Segment& segment, std::size_t pool);

/// Finds the groups near a query. One for each thread.
class NearGroups {
 public:
  explicit NearGroups(const Segment& segment);

  /// The lists of the nearest groups which together hold `lists` lists or some more: rising ranges,
  /// valid until the next call. Requires `lists` = nlist where lists are not grouped.
  std::span<const ListRange> find(const CentroidQuery& query, std::size_t lists,
                                  SearchCounters& counters);

 private:
  void rank(const CentroidQuery& query);

  const Segment& segment_;
  std::vector<float> norms_;  // of the groups' keys, as in BytePanels
  std::vector<float> steps_;
  std::vector<float> lengths_;        // zero
  std::vector<std::uint32_t> sizes_;  // lists
  std::vector<std::int8_t> query_;
  std::vector<std::uint32_t> groups_;  // whose keys are keys_
  std::vector<float> keys_;
  std::vector<std::uint32_t> near_;  // positions in keys_
  std::vector<ListRange> ranges_;
};

}  // namespace obliq
