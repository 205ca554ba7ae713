// Groups of lists. Lists are numbered by groups (near_order.h), so that near lists have near
// numbers and a range of lists is a region. Where there are many lists, groups are stored, too: the
// first step of the router. A group is then to its lists what a list is to its entries, and is
// stored as one: a GroupRecord whose `first` and `count` tell its lists, `mean_r2` their mean
// |c-g|^2, and the int8 code of its point g (centroid_code.h). A query ranks all groups by the key
// of lists (segment/list_key.h), and looks at the signs of the centroids in the nearest groups
// only.
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
  std::vector<GroupRecord> records;  ///< in the order of their lists; a few may have none
  std::vector<std::uint8_t> panels;  ///< levels of their points (byte_panels.h)
  std::vector<std::uint32_t> sizes;  ///< of the records
};

/// Groups centroids into how.clusters groups, and brings them into the order of their numbers. Does
/// not depend on threads, nor on the ISA. Requires a centroid or more. Cost: that of
/// order_by_groups.
ListGroups group_lists(Matrix<float>& centroids, const KMeansOptions& how);

}  // namespace obliq
