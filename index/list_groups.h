// Groups of lists: the upper level of the router where there are many lists. k-means over the
// centroids makes them, and lists are numbered so that those of a group follow each other. A group
// is then to its lists what a list is to its entries, and is stored as one: a ListRecord whose
// `first` and `count` tell its lists, `mean_r2` their mean |c-g|^2, and the int8 code of its point
// g (centroid_code.h). A query ranks all groups by the law of lists (router.h), and looks at the
// signs of the centroids in the nearest groups only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "index/centroid_code.h"
#include "index/kmeans.h"
#include "index/segment.h"
#include "obliq/matrix_view.h"
#include "obliq/search_counters.h"

namespace obliq {

/// From so many lists on they are grouped, unless the caller says otherwise.
constexpr std::size_t kLeastGrouped = 32768;

/// The number of groups for BuildOptions::list_groups, 1 where lists are not grouped.
std::size_t choose_list_groups(std::size_t asked, std::size_t nlist);

struct ListGroups {
  std::vector<ListRecord> records;   ///< in the order of their lists; a few may have none
  std::vector<std::uint8_t> panels;  ///< levels of their points (byte_panels.h)
};

/// Groups centroids into how.clusters groups, and sorts them by their groups. Does not depend on
/// threads, nor on the SIMD level. Cost: k-means with the centroids as points.
ListGroups group_lists(Matrix<float>& centroids, const KMeansOptions& how);

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
