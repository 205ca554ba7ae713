// Answers of range searches, and their truth: of each query any number. In files:
//
//     big-ann    int32 queries, int32 results, int32 counts [queries], int32 ids [results],
//                float32 distances [results]; any name
//     HDF5       FAISS's three arrays: `lims` [queries + 1], `I` and `D` [results]; or, as written
//                here, `lims`, `neighbors` and `distances`
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "datasets/file_bytes.h"

namespace obliq::datasets {

/// The answers of query i are those of [lims[i], lims[i + 1]).
struct RangeAnswers {
  std::vector<std::uint64_t> lims;  ///< [queries + 1]
  std::vector<std::int64_t> ids;
  std::vector<float> distances;  ///< as the file has them

  std::size_t queries() const { return lims.empty() ? 0 : lims.size() - 1; }
};

/// Reads a file of either kind: HDF5 where its name says so. Throws std::runtime_error where it is
/// damaged: a size that is not what the counts say, counts that do not add up, a negative id, an
/// id that a query has twice, a distance that is NaN; std::invalid_argument where an HDF5 file
/// lacks the arrays.
RangeAnswers read_range_truth(const std::string& path);

/// The big-ann kind, of bytes.
RangeAnswers parse_range_truth_bin(const FileBytes& file);

/// Writes the HDF5 kind. Throws as write_set.
void write_range_answers(const std::string& path, const RangeAnswers& answers);

}  // namespace obliq::datasets
