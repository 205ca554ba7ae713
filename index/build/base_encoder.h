// The pass over the base: each vector gets its lists and codes, which are staged until all are
// there, because a list's units and places are known only then.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "index/build/residual_encoder.h"
#include "index/build/spill.h"
#include "index/segment/segment.h"
#include "storage/staging_file.h"

namespace obliq {

/// Entries in the order of their rows: the primaries of all, or the second ones.
struct EncodedEntries {
  std::vector<std::uint32_t> lists;  ///< kNoList (spill.h): no entry
  StagingFile numbers;               ///< EncodedNumbers
  StagingFile signs;                 ///< plane_bytes(dim) each
};

/// What the pass leaves.
struct EncodedBase {
  EncodedEntries primaries;
  EncodedEntries seconds;  ///< empty unless vectors are spilled
  StagingFile rows;        ///< RowShape::bytes() each, with the code alone written
  StagingFile raw;         ///< raw_bytes() each
  double norm2_sum = 0;    ///< of the vectors as they were given
};

/// How the pass runs, besides options.
struct EncodingPlan {
  std::size_t chunk_rows;  ///< coded at a time
  std::function<StagingFile()> make_staging;
};

/// Codes all vectors of `base` by the centroids, as decoded, and the segment's transform,
/// quantizer, row shape and `spilled`, which becomes the number of vectors that have a second
/// entry. Reads the base once, in order. Throws as Index::build does.
EncodedBase encode_base(Segment& segment, MatrixView<float> centroids, const VectorSource& base,
                        const BuildOptions& options, const EncodingPlan& plan);

}  // namespace obliq
