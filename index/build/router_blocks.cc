#include "index/build/router_blocks.h"

#include "index/build/list_units.h"
#include "index/build/residual_encoder.h"
#include "index/segment/centroid_code.h"
#include "index/segment/entry_format.h"
#include "index/segment/list_key.h"

namespace obliq {

std::vector<std::uint8_t> sign_centroids(const Segment& segment, ListRecord& record) {
  const std::size_t dim = segment.dim();
  const std::size_t nlist = segment.info.nlist;
  std::vector<EncodedNumbers> numbers(nlist);
  std::vector<std::uint8_t> signs(nlist * plane_bytes(dim));
  std::vector<float> centroid(dim);
  NumberRange range;
  ResidualEncoder coder(*segment.quantizer, segment.metric());
  for (std::size_t l = 0; l < nlist; ++l) {
    decode_centroid(segment, l, centroid.data());
    coder.code_entry(centroid.data(), nullptr, signs.data() + l * plane_bytes(dim), numbers[l]);
    numbers[l].entry_add +=
        radius_term(segment.metric(), segment.info.list_weight, segment.lists[l].mean_r2);
    range.add(numbers[l]);
  }
  choose_units(range, {}, record);
  record.count = static_cast<std::uint32_t>(nlist);
  std::vector<std::uint8_t> blocks(block_count(nlist) * block_bytes(dim));
  for (std::size_t l = 0; l < nlist; ++l) {
    write_entry(signs.data() + l * plane_bytes(dim), numbers[l], record,
                static_cast<std::uint32_t>(l), dim, l, blocks.data());
  }
  return blocks;
}

}  // namespace obliq
