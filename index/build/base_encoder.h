// The pass over the base: each vector gets its lists and codes, which are staged until all are
// there, because a list's units and places are known only then.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "index/build/build_plan.h"
#include "index/build/residual_encoder.h"
#include "index/build/spill.h"
#include "index/build/trained_parts.h"
#include "index/segment/segment.h"
#include "storage/staging_file.h"

namespace obliq {

/// The form of a build's rows.
RowShape row_shape_of(const BuildPlan& plan, const Quantizer& quantizer);

/// Entries in the order of their rows: the primary ones, or the second ones.
struct EncodedEntries {
  std::vector<std::uint32_t> lists;  ///< kNoList (spill.h): no entry
  StagingFile numbers;               ///< EncodedNumbers
  StagingFile signs;                 ///< plane_bytes(dim) each
};

/// What the pass over the base leaves.
struct EncodedBase {
  EncodedEntries primaries;
  EncodedEntries seconds;     ///< empty unless vectors are spilled
  StagingFile rows;           ///< RowShape::bytes() each, with the code alone written
  StagingFile raw;            ///< raw_bytes() each
  std::uint64_t spilled = 0;  ///< vectors that have a second entry
  double norm2_sum = 0;       ///< of the vectors after the transform
};

/// Encodes all vectors of the plan's base. Reads it once, in order. Throws as Index::build does.
EncodedBase encode_base(const BuildPlan& plan, const TrainedParts& parts);

}  // namespace obliq
