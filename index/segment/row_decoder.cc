// x = c' + S y, then the inverse of the vector transform. Entries name their rows, so the place of
// each row's primary entry is found once, by a pass over all lists.
#include "index/segment/row_decoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "core/kernels/kernels.h"
#include "index/segment/centroid_code.h"
#include "index/segment/entry_format.h"
#include "index/segment/raw_tier.h"

namespace obliq {
void RowDecoder::vector(std::size_t row, float* out) {
  const bool lists_tell = segment_.raw_tier() == RawTier::none ||
                          (segment_.raw_tier() == RawTier::fp16 && !segment_.far_lists.empty());
  if (lists_tell) std::call_once(found_, [this] { find_entries(); });
  if (segment_.raw_tier() == RawTier::none) {
    decode(row, out);
    return;
  }
  const std::size_t list = lists_tell ? entry_of(row).list : 0;
  const bool behind = segment_.is_raw_behind(list);
  const float* x = raw_row(segment_, row, behind, out);
  if (x != out) std::copy_n(x, segment_.dim(), out);
  if (behind) {
    take_back(list, out);
  } else {
    segment_.transform->unscale(out);
  }
}

// To the space of the base, from behind the transform and, in far lists, from the centroid.
void RowDecoder::take_back(std::size_t list, float* out) const {
  const std::size_t dim = segment_.dim();
  if (std::isnan(out[0])) {  // zero under cosine (raw_form.h)
    std::fill_n(out, dim, 0.0F);
    return;
  }
  const float* far = segment_.far_point(list);
  for (std::size_t i = 0; far != nullptr && i < dim; ++i) out[i] += far[i];
  segment_.transform->apply_inverse(out);
}

const PrimaryEntry& RowDecoder::entry_of(std::size_t row) const {
  const PrimaryEntry& entry = entries_[row];
  if (entry.list == kNoList) throw std::runtime_error(fmt::format("row {} has no entry", row));
  return entry;
}

bool RowDecoder::is_primary(std::size_t row, std::size_t list) const {
  const RowShape& shape = segment_.row_shape;
  return shape.primary() == 0 ||
         read_primary(shape, segment_.rows.data() + row * shape.bytes()).list == list;
}

void RowDecoder::find_entries() {
  entries_.assign(segment_.info.n, {kNoList, 0});
  for (std::size_t l = 0; l < segment_.lists.size(); ++l) {
    const ListRecord& record = segment_.lists[l];
    for (std::uint64_t e = record.first; e < record.first + record.count; ++e) {
      const std::uint32_t row = entry_row(segment_.blocks.data(), segment_.dim(), e);
      if (row < entries_.size() && is_primary(row, l)) {
        entries_[row] = {static_cast<std::uint32_t>(l), e};
      }
    }
  }
}

void RowDecoder::decode(std::size_t row, float* out) {
  const auto& [list, entry] = entry_of(row);
  const std::size_t dim = segment_.dim();
  const RowShape& shape = segment_.row_shape;
  const std::uint8_t* stored = segment_.rows.data() + row * shape.bytes();
  std::vector<std::uint8_t> code;
  if (shape.leads_with_signs) {
    code.resize(plane_bytes(dim));
    read_entry_signs(segment_.blocks.data(), dim, entry, code.data());
  }
  code.insert(code.end(), stored, stored + shape.rest);
  segment_.quantizer->decode(code.data(),
                             read_row_factors(shape, stored, segment_.lists[list].scale), out);
  std::vector<float> centroid(dim);
  decode_centroid(segment_, list, centroid.data());
  for (std::size_t i = 0; i < dim; ++i) out[i] += centroid[i];
  segment_.transform->apply_inverse(out);
}

}  // namespace obliq
