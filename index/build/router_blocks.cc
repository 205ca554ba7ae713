// A centroid is encoded as an entry of a list without a centroid; the radius of its list is added
// to its additive factor. One scan of these blocks then ranks all lists roughly.
#include "index/build/router_blocks.h"

#include "index/build/list_units.h"
#include "index/build/residual_encoder.h"
#include "index/segment/entry_format.h"
#include "index/segment/list_key.h"

namespace obliq {

std::vector<std::uint8_t> sign_centroids(const RoutedLists& routed, const Quantizer& quantizer,
                                         ListRecord& record) {
  const auto [nlist, dim] = std::pair(routed.centroids.rows, routed.centroids.cols);
  std::vector<EncodedNumbers> numbers(nlist);
  std::vector<std::uint8_t> signs(nlist * plane_bytes(dim));
  NumberRange range;
  ResidualEncoder encoder(quantizer, routed.metric);
  for (std::size_t l = 0; l < nlist; ++l) {
    encoder.code_entry({routed.centroids.row(l), nullptr, false,
                        signs.data() + l * plane_bytes(dim), nullptr, &numbers[l]});
    numbers[l].entry_add += radius_term(routed.metric, routed.weight, routed.lists[l].mean_r2);
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
