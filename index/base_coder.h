// The pass over the base: each vector gets its lists and codes, which are laid aside until all are
// there, because a list's units and places are known only then.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "index/coder.h"
#include "index/segment.h"
#include "index/spill.h"
#include "storage/spool.h"

namespace obliq {

/// Entries in the order of their rows: the homes of all, or the second ones.
struct CodedEntries {
  std::vector<std::uint32_t> lists;  ///< kNoList (spill.h): no entry
  Spool numbers;                     ///< CodedNumbers
  Spool signs;                       ///< plane_bytes(dim) each
};

/// What the pass leaves.
struct CodedBase {
  CodedEntries homes;
  CodedEntries seconds;  ///< empty unless vectors are spilled
  Spool rows;            ///< RowShape::bytes() each, with the code alone written
  Spool raw;             ///< raw_bytes() each
  double norm2_sum = 0;  ///< of the vectors as they were given
};

/// How the pass runs, besides options.
struct CodingPlan {
  std::size_t chunk_rows;  ///< coded at a time
  std::function<Spool()> make_spool;
};

/// Codes all vectors of `base` by the centroids, as decoded, and the segment's door, quantizer, row
/// shape and `spilled`, which becomes the number of vectors that have a second entry. Reads the
/// base once, in order. Throws as Index::build does.
CodedBase code_base(Segment& segment, MatrixView<float> centroids, const VectorSource& base,
                    const BuildOptions& options, const CodingPlan& plan);

}  // namespace obliq
