// Quantizer, vector transform and the form of rows follow from the stored numbers.
#include "index/segment/segment.h"

#include <algorithm>
#include <vector>

#include "core/kernels/kernels.h"

namespace obliq {

std::size_t count_filled(std::span<const ListRecord> lists) {
  return static_cast<std::size_t>(std::count_if(
      lists.begin(), lists.end(), [](const ListRecord& list) { return list.count > 0; }));
}

void complete(Segment& segment) {
  const SegmentInfo& info = segment.info;
  segment.filled = count_filled(segment.lists);
  segment.quantizer = make_quantizer(info.quantizer, info.dim, info.seed, segment.quantizer_state);
  segment.row_shape = RowShape(*segment.quantizer);
  if (segment.spilled > 0) segment.row_shape.add_primary(info.nlist);
  auto transform = std::make_unique<VectorTransform>(segment.metric(), info.dim, info.seed);
  transform->set_mean({segment.mean.begin(), segment.mean.end()});
  segment.transform = std::move(transform);
}

}  // namespace obliq
