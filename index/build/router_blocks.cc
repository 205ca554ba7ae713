// A centroid is encoded as an entry of a list without a centroid; the radius of its list is added
// to its additive factor. One scan of these blocks then ranks all lists roughly.
#include "index/build/router_blocks.h"

#include <algorithm>
#include <utility>

#include "index/build/list_units.h"
#include "index/build/residual_encoder.h"
#include "index/segment/entry_format.h"
#include "index/segment/list_key.h"

namespace obliq {

std::vector<std::uint8_t> sign_centroids(MatrixView<float> centroids, TrainedModel& model) {
  const auto [nlist, dim] = std::pair(centroids.rows, centroids.cols);
  const std::size_t plane = plane_bytes(dim);
  std::vector<EncodedNumbers> numbers(nlist);
  std::vector<std::uint8_t> signs(block_count(nlist) * kBlockEntries * plane);
  ResidualEncoder encoder(*model.quantizer, model.metric());
  ListRecord& router = model.router;
  router.scale_exponent = router.add_exponent = kLeastExponent;
  for (std::size_t l = 0; l < nlist; ++l) {
    encoder.code_entry(
        {centroids.row(l), nullptr, false, signs.data() + l * plane, nullptr, &numbers[l]});
    numbers[l].entry_add +=
        radius_term(model.metric(), model.info.list_weight, model.lists[l].mean_r2);
    hold_primary(numbers[l], router);
  }
  model.info.router_scale_exponent = router.scale_exponent;
  model.info.router_add_exponent = router.add_exponent;
  std::vector<std::uint8_t> blocks(block_count(nlist) * block_bytes(dim));
  for (std::size_t b = 0; b < block_count(nlist); ++b) {
    BlockEntries entries(dim);
    std::copy_n(signs.data() + b * entries.planes.size(), entries.planes.size(),
                entries.planes.data());
    for (std::size_t e = 0; e < kBlockEntries && b * kBlockEntries + e < nlist; ++e) {
      entries.factors[e] = entry_factors(numbers[b * kBlockEntries + e], router);
    }
    write_block(entries, dim, blocks.data() + b * block_bytes(dim));
  }
  return blocks;
}

}  // namespace obliq
