// Exact vectors kept beside the codes, in one of the forms of raw_form.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "index/segment/segment.h"

namespace obliq {

/// Bytes of one raw vector; 0 without a raw tier.
std::size_t raw_bytes(RawTier raw, std::size_t dim);

/// Writes dim floats as fp16 or fp32. Returns whether fp16 holds them all: a NaN, and no value from
/// 65520 on.
bool write_raw(const float* x, std::size_t dim, RawTier raw, std::uint8_t* out);

/// Row `row` of the raw tier, which there must be, as dim floats: where they lie or, from fp16, in
/// `scratch`, which holds dim floats. `behind`: TrainedModel::is_raw_behind of its primary list.
const float* raw_row(const Segment& segment, std::size_t row, bool behind, float* scratch);

}  // namespace obliq
