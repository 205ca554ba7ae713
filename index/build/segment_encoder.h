// Encodes vectors under a model into a segment in memory.
#pragma once

#include <memory>
#include <span>

#include "index/build/encode_input.h"
#include "index/build/encoded_vectors.h"
#include "index/segment/segment.h"

namespace obliq {

/// Throws std::invalid_argument naming a vector that is not finite, or too long for the model.
/// Memory: the segment, and while it is made 56 + dim/8 bytes per entry.
Segment encode_segment(const std::shared_ptr<const TrainedModel>& model, const EncodeInput& input);

/// Puts vectors that were encoded under the model into the order of a segment, without truth. `ids`
/// and `columns` are theirs. Throws std::invalid_argument where an id comes twice.
Segment arrange_segment(const std::shared_ptr<const TrainedModel>& model, EncodedVectors encoded,
                        MatrixView<std::int64_t> ids, std::span<const ColumnValues> columns = {});

}  // namespace obliq
