// Groups of lists: the first step of the router where there are many lists. k-means over the
// centroids makes them, and lists are numbered so that those of a group follow each other. A group
// is then to its lists what a list is to its entries, and is stored as one: a ListRecord whose
// `first` and `count` tell its lists, `mean_r2` their mean |c-g|^2, and the int8 code of its point
// g (centroid_code.h). A query ranks all groups by the key of lists (segment/list_key.h), and
// looks at the signs of the centroids in the nearest groups only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "index/build/kmeans.h"
#include "index/segment/centroid_code.h"
#include "index/segment/segment.h"
#include "obliq/matrix_view.h"

namespace obliq {

struct ListGroups {
  std::vector<ListRecord> records;   ///< in the order of their lists; a few may have none
  std::vector<std::uint8_t> panels;  ///< levels of their points (byte_panels.h)
};

/// Groups centroids into how.clusters groups, and sorts them by their groups. Does not depend on
/// threads, nor on the ISA. Cost: k-means with the centroids as points.
ListGroups group_lists(Matrix<float>& centroids, const KMeansOptions& how);

}  // namespace obliq
