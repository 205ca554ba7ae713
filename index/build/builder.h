// Builds a segment from base vectors: sample, k-means, then one pass that assigns lists and
// encodes.
#pragma once

#include <string>

#include "index/segment/segment.h"
#include "obliq/index.h"

namespace obliq {

/// See Index::build. Memory: the segment, 56 + dim/8 bytes of scratch per vector (twice that where
/// vectors are spilled), and the training sample (options.kmeans_points * nlist * dim floats at the
/// most).
Segment build_segment(const VectorSource& base, const BuildOptions& options);

/// See Index::build_file.
void build_segment_file(const VectorSource& base, const BuildOptions& options,
                        const std::string& path);

}  // namespace obliq
