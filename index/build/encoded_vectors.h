// Vectors with their lists and codes, before they are put in the order of a segment.
#pragma once

#include <cstdint>
#include <vector>

#include "index/build/encode_input.h"
#include "index/build/nearest_rows.h"
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

/// Encodes any number of times under one model, whose centroids it lays out once. Any number of
/// threads may use it.
class VectorEncoder {
 public:
  /// The model, of one list or more, outlives this. Cost: nlist * dim.
  explicit VectorEncoder(const TrainedModel& model);

  /// Reads the vectors once, in order. Throws as encode_segment does.
  EncodedVectors encode(const EncodeInput& input) const;

 private:
  const TrainedModel& model_;
  const Matrix<float> centroids_;
  const NearestRows search_;
};

}  // namespace obliq
