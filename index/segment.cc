#include "index/segment.h"

#include <vector>

#include "quant/kernels/kernels.h"

namespace obliq {

RowShape::RowShape(const Quantizer& quantizer) {
  const CodeLayout layout = quantizer.layout();
  leads_with_signs = layout.leads_with_signs;
  rest = layout.code_bytes - (leads_with_signs ? plane_bytes(quantizer.dim()) : 0);
  factors = layout.factors;
}

void RowShape::add_home(std::size_t nlist) {
  home_list = nlist <= std::size_t{1} << 16 ? 2 : 4;
  home_entry = leads_with_signs ? 4 : 0;
}

std::size_t raw_bytes(RawTier raw, std::size_t dim) {
  switch (raw) {
    case RawTier::none:
      return 0;
    case RawTier::fp16:
      return 2 * dim;
    case RawTier::fp32:
      return 4 * dim;
  }
  return 0;
}

float product_weight(Metric metric) { return metric == Metric::ip ? 1.0F : 2.0F; }

void complete(Segment& segment) {
  const SegmentInfo& info = segment.info;
  segment.quantizer = make_quantizer(info.quantizer, info.dim, info.seed, segment.quantizer_state);
  segment.row_shape = RowShape(*segment.quantizer);
  if (segment.spilled > 0) segment.row_shape.add_home(info.nlist);
  auto door = std::make_unique<Door>(segment.metric(), info.dim, info.seed);
  door->set_mean({segment.mean.begin(), segment.mean.end()});
  segment.door = std::move(door);
}

}  // namespace obliq
