// Exact vectors kept beside the codes, in the space of the base (cosine: normalised).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "obliq/index.h"

namespace obliq {

/// Writes the raw tier of the rows `vectors` of a base, the first of which is its row `first`.
/// Throws std::invalid_argument on a value that fp16 cannot hold.
void store_raw(MatrixView<float> vectors, Metric metric, RawTier raw, std::size_t first,
               std::span<std::uint8_t> out);

}  // namespace obliq
