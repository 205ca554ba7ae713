// Exact vectors kept beside the codes, in the space of the base (cosine: normalised).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "index/segment/segment.h"
#include "obliq/index.h"

namespace obliq {

/// Bytes of one raw vector; 0 without a raw tier.
std::size_t raw_bytes(RawTier raw, std::size_t dim);

/// Writes the raw tier of the rows `vectors` of a base, the first of which is its row `first`.
/// Throws std::invalid_argument on a value that fp16 cannot hold.
void store_raw(MatrixView<float> vectors, Metric metric, RawTier raw, std::size_t first,
               std::span<std::uint8_t> out);

/// Row `row` of the raw tier, which there must be, as dim floats: where they lie or, from fp16, in
/// `scratch`, which holds dim floats.
const float* raw_row(const Segment& segment, std::size_t row, float* scratch);

}  // namespace obliq
