// Vectors with their lists and codes, before they are put in the order of a segment.
#pragma once

#include <cstdint>
#include <vector>

#include "index/build/encode_input.h"
#include "index/segment/trained_model.h"

namespace obliq {

/// Entries with what they hold.
struct EncodedEntries {
  std::vector<std::uint32_t> lists;
  std::vector<EncodedNumbers> numbers;
  std::vector<std::uint8_t> signs;  ///< plane_bytes(dim) each
};

struct EncodedVectors {
  EncodedEntries primaries;          ///< of each vector
  EncodedEntries spilled;            ///< of those that have a second entry,
  std::vector<std::uint32_t> owner;  ///< which these are
  std::vector<std::uint8_t> rows;    ///< RowShape::bytes() each, with the code alone written
  std::vector<std::uint8_t> raw;     ///< raw_bytes() each
};

/// Reads the vectors once, in order. Throws as encode_segment does.
EncodedVectors encode_vectors(const TrainedModel& model, const EncodeInput& input);

}  // namespace obliq
