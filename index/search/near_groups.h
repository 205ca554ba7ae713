// The first step of the router where there are many lists: a query ranks all groups of lists
// (build/list_groups.h) by the key of lists, and looks at the signs of the centroids in the nearest
// groups only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "index/search/search_counters.h"
#include "index/segment/centroid_code.h"
#include "index/segment/trained_model.h"

namespace obliq {

/// Consecutive lists.
struct ListRun {
  std::uint32_t first;
  std::uint32_t count;
};

/// How many lists to look at for the best `wanted` of them; never more for fewer.
std::size_t lists_to_look_at(const TrainedModel& model, std::size_t wanted);

/// Scratch memory of NearGroups::find.
struct NearGroupsScratch {
  std::vector<std::int8_t> query;
  std::vector<std::uint32_t> groups;  ///< whose keys are `keys`
  std::vector<float> keys;
  std::vector<std::uint32_t> near;  ///< positions in keys
};

/// Finds the groups near a query.
class NearGroups {
 public:
  /// The model outlives this.
  explicit NearGroups(const TrainedModel& model);

  /// Writes the lists of the nearest groups which together hold `lists` lists or some more, as
  /// rising ranges. Requires `lists` = nlist where lists are not grouped.
  void find(const CentroidQuery& query, std::size_t lists, NearGroupsScratch& scratch,
            std::vector<ListRun>& ranges, SearchCounters& counters) const;

 private:
  void rank(const CentroidQuery& query, NearGroupsScratch& scratch) const;

  const TrainedModel& model_;
  std::vector<float> norms_;  // of the groups' keys, as in BytePanels
  std::vector<float> steps_;
  std::vector<float> lengths_;        // zero
  std::vector<std::uint32_t> sizes_;  // lists
};

}  // namespace obliq
