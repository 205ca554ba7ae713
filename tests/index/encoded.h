// Segments in memory: a base trained and encoded, whole or in parts.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <utility>
#include <vector>

#include "index/build/build_plan.h"
#include "index/build/segment_encoder.h"
#include "index/build/train.h"
#include "index/segment/segment_set.h"
#include "obliq/index.h"
#include "obliq/vector_source.h"

namespace obliq::testing {

/// The model that a build of this base learns.
inline std::shared_ptr<const TrainedModel> trained(const Matrix<float>& base,
                                                   const BuildOptions& options) {
  const MatrixSource vectors(base.view());
  return train_model(
      {vectors, base.rows, options, std::filesystem::temp_directory_path().string()});
}

/// The base under a model, in segments of `sizes` vectors, which add up to all, with the truth of
/// the model's learn queries. `options`: ids, threads.
inline SegmentSet encoded(const std::shared_ptr<const TrainedModel>& model,
                          const Matrix<float>& base, const BuildOptions& options,
                          const std::vector<std::size_t>& sizes) {
  std::vector<Segment> segments;
  std::size_t first = 0;
  for (const std::size_t size : sizes) {
    const MatrixSource part(base.view().slice(first, size));
    EncodeInput input{.vectors = part, .first = first, .chunk_rows = 1024, .truth = true};
    input.threads = options.threads;
    if (options.ids.rows > 0) input.ids = options.ids.slice(first, size);
    segments.push_back(encode_segment(model, input));
    first += size;
  }
  return SegmentSet(model, std::move(segments));
}

/// The base in one segment.
inline SegmentSet encoded(const Matrix<float>& base, const BuildOptions& options) {
  return encoded(trained(base, options), base, options, {base.rows});
}

}  // namespace obliq::testing
