// What a set of segments is tuned with: learn queries and their true neighbours.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/exact_knn.h"
#include "index/segment/segment_set.h"
#include "obliq/matrix_view.h"
#include "obliq/tuning.h"
#include "obliq/vector_source.h"

namespace obliq {

/// Queries as users give them, each with the slot of the base vector that it is, if any.
struct LearnQueries {
  Matrix<float> queries;
  std::vector<std::uint32_t> self;  ///< [queries]; TopK::kNoRow: none
};

/// At most `count` of the given ones, evenly spread.
LearnQueries given_queries(MatrixView<float> queries, std::size_t count);

/// The `count` vectors of the smallest sample_key by the model's seed, in that order, of copies the
/// first. `rows`: vectors by slot, read one by one.
LearnQueries base_queries(const SegmentSet& set, const VectorSource& rows, std::size_t count);

/// The nearest Truth::kNeighbours slots among `rows`, vectors by slot.
Neighbours exact_neighbours(const SegmentSet& set, const VectorSource& rows,
                            const LearnQueries& learn, const TuneOptions& options);

/// The neighbours of those of `queries` that given_queries(queries, count) takes, from what users
/// give for all of them (TuneOptions); distances are places. Throws std::invalid_argument where
/// they are not one row for each query, of as many as the greatest tuned k, or the set lacks an id.
/// Cost: as slots_of.
Neighbours neighbours_given(const SegmentSet& set, MatrixView<float> queries,
                            MatrixView<std::int64_t> neighbours, std::size_t count);

/// The learn queries of a model and the truth of all segments, Truth::kNeighbours for each query
/// by (distance, id). Ids that the set does not have are passed over. Nothing where the model has
/// no learn queries or a segment with vectors no truth.
struct KnownTruth {
  LearnQueries learn;
  Neighbours neighbours;
};
KnownTruth known_truth(const SegmentSet& set);

}  // namespace obliq
