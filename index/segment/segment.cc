// Quantizer, vector transform and the form of rows follow from the stored numbers.
#include "index/segment/segment.h"

#include <algorithm>
#include <vector>

#include "core/kernels/kernels.h"

namespace obliq {

void count_lists(Segment& segment) {
  segment.filled = static_cast<std::size_t>(
      std::count_if(segment.lists.begin(), segment.lists.end(),
                    [](const ListRecord& list) { return list.count > 0; }));
  segment.far_numbers.assign(segment.far_lists.empty() ? 0 : segment.lists.size(), kNoList);
  for (std::size_t i = 0; i < segment.far_lists.size(); ++i) {
    segment.far_numbers[segment.far_lists[i]] = static_cast<std::uint32_t>(i);
  }
}

void complete(Segment& segment) {
  const SegmentInfo& info = segment.info;
  count_lists(segment);
  segment.quantizer = make_quantizer(info.quantizer, info.dim, info.seed, segment.quantizer_state);
  segment.row_shape = RowShape(*segment.quantizer);
  if (info.names_primaries != 0) segment.row_shape.add_primary(info.nlist);
  auto transform = std::make_unique<VectorTransform>(segment.metric(), info.dim, info.seed);
  transform->set_scale(info.scale);
  transform->set_mean({segment.mean.begin(), segment.mean.end()});
  segment.transform = std::move(transform);
}

}  // namespace obliq
