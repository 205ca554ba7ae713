// Builds an index: trains a model, encodes the base, merges where that was done in runs, and tunes.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "index/build/segment_encoder.h"
#include "index/segment/segment.h"
#include "obliq/index.h"
#include "obliq/vector_source.h"

namespace obliq {

/// See Index::build. Memory: the segment, 56 + dim/8 bytes per entry while it is made, and the
/// training sample (options.kmeans_points * nlist * dim floats at the most).
Segment build_segment(const VectorSource& base, const BuildOptions& options);

/// See Index::build_file.
void build_segment_file(const VectorSource& base, const BuildOptions& options,
                        const std::string& path);

/// Encodes vectors into the file of a segment, at most `run_rows` at a time: where there are more,
/// runs are staged beside the output and merged. `ready` is called before the file appears.
void encode_file(const std::shared_ptr<const TrainedModel>& model, const EncodeInput& input,
                 std::size_t run_rows, const std::string& path, const std::function<void()>& ready);

}  // namespace obliq
