// x = c' + S y, then the inverse of the vector transform. Rows lie in the order of their primary
// lists, so a list is found by the first rows of the records.
#include "index/segment/row_decoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <stdexcept>
#include <vector>

#include "core/kernels/kernels.h"
#include "index/segment/centroid_code.h"
#include "index/segment/entry_format.h"
#include "index/segment/raw_tier.h"

namespace obliq {

std::size_t primary_record_of(const Segment& segment, std::uint32_t row) {
  const std::span<const ListRecord> records = segment.lists.records();
  const auto after = std::upper_bound(
      records.begin(), records.end(), row,
      [](std::uint32_t wanted, const ListRecord& record) { return wanted < record.first_row; });
  const bool found =
      after != records.begin() && row - (after - 1)->first_row < (after - 1)->primaries;
  if (!found) throw std::runtime_error(fmt::format("row {} is in no list", row));
  return static_cast<std::size_t>(after - records.begin()) - 1;
}

void RowDecoder::vector(std::uint32_t slot, float* out) const {
  const TrainedModel& model = set_.model();
  const std::size_t s = set_.segment_of(slot);
  const Segment& segment = set_.segments()[s];
  const std::uint32_t row = slot - set_.first_slot(s);
  if (model.raw_tier() == RawTier::none) {
    decode(segment, row, primary_record_of(segment, row), out);
    return;
  }
  const bool list_tells = model.raw_tier() == RawTier::fp16 && !model.far_lists.empty();
  const std::uint32_t list =
      list_tells ? segment.lists.list_of(primary_record_of(segment, row)) : 0;
  const bool behind = model.is_raw_behind(list);
  const float* x = raw_row(segment, row, behind, out);
  if (x != out) std::copy_n(x, model.dim(), out);
  if (behind) {
    take_back(list, out);
  } else {
    model.transform->unscale(out);
  }
}

// To the space of the base, from behind the transform and, in far lists, from the centroid.
void RowDecoder::take_back(std::uint32_t list, float* out) const {
  const TrainedModel& model = set_.model();
  const std::size_t dim = model.dim();
  if (std::isnan(out[0])) {  // zero under cosine (raw_form.h)
    std::fill_n(out, dim, 0.0F);
    return;
  }
  const float* far = model.far_point(list);
  for (std::size_t i = 0; far != nullptr && i < dim; ++i) out[i] += far[i];
  model.transform->apply_inverse(out);
}

void RowDecoder::decode(const Segment& segment, std::uint32_t row, std::size_t record,
                        float* out) const {
  const TrainedModel& model = set_.model();
  const std::size_t dim = model.dim();
  const RowShape& shape = model.row_shape;
  const ListRecord& list = segment.lists.records()[record];
  const std::uint8_t* stored = segment.rows.data() + row * shape.bytes();
  std::vector<std::uint8_t> code;
  if (shape.leads_with_signs) {
    code.resize(plane_bytes(dim));
    read_entry_signs(segment.blocks.data(), dim, primary_entry(list, row), code.data());
  }
  code.insert(code.end(), stored, stored + shape.rest);
  model.quantizer->decode(code.data(), read_row_factors(shape, stored, list.scale()), out);
  std::vector<float> centroid(dim);
  decode_centroid(model, segment.lists.list_of(record), centroid.data());
  for (std::size_t i = 0; i < dim; ++i) out[i] += centroid[i];
  model.transform->apply_inverse(out);
}

}  // namespace obliq
