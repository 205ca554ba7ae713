// Each section is counted as segment_file.cc writes it; sizes of lists that are not given are drawn
// around their mean, because where lists meet in a block depends on them.
#include "index/segment/index_size.h"

#include <vector>

#include "core/kernels/kernels.h"
#include "core/random.h"
#include "index/segment/byte_panels.h"
#include "index/segment/list_counts.h"
#include "index/segment/list_layout.h"
#include "index/segment/raw_tier.h"
#include "index/segment/segment.h"
#include "index/segment/tuning_section.h"
#include "storage/section_file.h"

namespace obliq {
namespace {

std::size_t spilled_vectors(const IndexShape& shape) {
  return static_cast<std::size_t>(shape.spill * static_cast<double>(shape.n));
}

std::vector<std::uint32_t> drawn_sizes(const IndexShape& shape) {
  const std::uint64_t total = shape.n + spilled_vectors(shape);
  std::vector<std::uint32_t> sizes(shape.nlist);
  Random random(1);
  std::uint64_t placed = 0;
  for (std::size_t l = 0; l + 1 < shape.nlist; ++l) {
    const std::uint64_t border = total * (l + 1) / shape.nlist;
    const std::uint64_t jitter = random.below(kBlockEntries);
    sizes[l] = static_cast<std::uint32_t>(border > placed + jitter ? border - placed - jitter : 0);
    placed += sizes[l];
  }
  sizes[shape.nlist - 1] = static_cast<std::uint32_t>(total - placed);
  return sizes;
}

std::size_t blocks_bytes(std::size_t entries, std::size_t dim) {
  return block_count(entries) * block_bytes(dim);
}

}  // namespace

ItemBytes item_bytes(const IndexShape& shape) {
  const RowShape row(*make_quantizer(shape.quantizer, shape.dim));
  ItemBytes bytes;
  bytes.entry = static_cast<double>(block_bytes(shape.dim)) / kBlockEntries;
  bytes.row = row.bytes();
  if (row.leads_with_signs) bytes.gathered = block_sign_bytes(shape.dim);
  bytes.raw = raw_bytes(shape.raw, shape.dim);
  bytes.spilled = spilled_bytes(shape.nlist);
  bytes.list = sizeof(ListRecord);
  bytes.point = sizeof(ListPoint);
  bytes.centroid = shape.dim;
  bytes.group = 4 * sign_groups(shape.dim) + sizeof(GroupRecord);
  return bytes;
}

IndexSize index_size(const IndexShape& shape) { return index_size(shape, drawn_sizes(shape)); }

IndexSize index_size(const IndexShape& shape, std::span<const std::uint32_t> list_sizes) {
  const ItemBytes item = item_bytes(shape);
  const std::size_t mean = shape.dim * sizeof(float);
  const std::size_t centroids = shape.nlist * item.centroid;
  const std::size_t far_lists = shape.far_lists * sizeof(std::uint32_t);
  const std::size_t far_points = shape.far_lists * shape.dim * sizeof(float);
  const std::size_t router_blocks = blocks_bytes(shape.nlist, shape.dim);
  const std::size_t groups = choose_list_groups(shape.list_groups, shape.nlist);
  const std::size_t points = shape.nlist * sizeof(ListPoint);
  const std::size_t lists = shape.nlist * sizeof(ListRecord);
  const std::size_t blocks = blocks_bytes(place_lists(list_sizes).entries, shape.dim);
  const std::size_t spilled = spilled_vectors(shape) * item.spilled;
  const std::size_t rows = shape.n * item.row;
  const std::size_t raw = shape.n * item.raw;
  std::vector<std::uint64_t> sections = {
      sizeof(ModelInfo),   mean,  centroids, points,  router_blocks,
      sizeof(SegmentInfo), lists, blocks,    spilled, rows};
  if (shape.raw != RawTier::none) sections.push_back(raw);
  if (shape.has_ids) sections.push_back(shape.n * sizeof(std::int64_t));
  sections.push_back(shape.n * sizeof(std::uint32_t));  // positions, or rows by id
  IndexSize size;
  size.bytes_per_vector = static_cast<double>(blocks + spilled + rows + raw + lists + points) /
                          static_cast<double>(shape.n);
  size.centroid_bytes = centroids + far_lists + far_points + mean + router_blocks;
  if (shape.far_lists > 0) sections.insert(sections.end(), {far_lists, far_points});
  if (groups > 1) {
    const std::size_t panels = panel_bytes(groups, shape.dim);
    size.centroid_bytes += groups * sizeof(GroupRecord) + panels;
    sections.insert(sections.end(), {groups * sizeof(GroupRecord), panels});
  }
  if (shape.n >= kLeastTuned) {
    sections.push_back(tuning_bytes(kTunedKs.size(), kTunedTargets.size()));
  }
  size.file_bytes = section_file_bytes(sections);
  return size;
}

}  // namespace obliq
