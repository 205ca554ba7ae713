// Vectors of segments as they are encoded there, to be arranged in another segment of the model:
// nothing is decoded or encoded.
#pragma once

#include <cstdint>
#include <span>

#include "index/build/encoded_vectors.h"
#include "index/segment/segment.h"

namespace obliq {

/// A row of a segment that is no foreign one.
struct CopiedRow {
  const Segment* segment = nullptr;
  std::uint32_t row = 0;
};

/// What arrange_segment makes rows of that search as these do, to the last bit. Two numbers of them
/// are not stored: |r|^2 is that of the longest of the list, sines and tangents are 0. A spilled
/// entry whose numbers are too large for its list has the f_add of -infinity (entry_format.h).
/// Requires different rows, of segments of this model. Throws std::runtime_error where a damaged
/// segment has a row in no list. Cost: besides the copies a pass over the spilled entries of each
/// segment.
EncodedVectors copy_rows(const TrainedModel& model, std::span<const CopiedRow> rows);

}  // namespace obliq
