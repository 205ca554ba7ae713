// What is to be learnt and how the work is divided: options checked and resolved, and the bound on
// memory turned into sizes of chunks.
#pragma once

#include <cstddef>
#include <string>

#include "obliq/index.h"
#include "obliq/vector_source.h"
#include "storage/staging_file.h"

namespace obliq {

inline constexpr std::size_t kMaxDim = 65536;  ///< dimensions of a vector, at the most

/// Vectors of that dim that are read at a time.
std::size_t usual_chunk(std::size_t dim);
/// Bytes that a vector takes while it is read, transformed and encoded, and until its run is
/// staged.
constexpr std::size_t bytes_on_the_way(std::size_t dim) { return 24 * dim + 256; }
constexpr std::size_t bytes_encoded(std::size_t dim, std::size_t raw_bytes,
                                    std::size_t column_bytes) {
  return 6 * dim + 512 + raw_bytes + column_bytes;
}

class BuildPlan {
 public:
  /// For a base of n vectors, of which `vectors` are at least the sample; they and what the options
  /// view outlive this; `folder` is for temporary files. Throws as Index::build does, and where
  /// max_memory is too little.
  BuildPlan(const VectorSource& vectors, std::size_t n, const BuildOptions& options,
            std::string folder);

  const VectorSource& vectors;
  const BuildOptions options;  ///< quantizer and spill are given
  const std::size_t n;
  const std::size_t dim;
  std::size_t nlist = 0;
  std::size_t sample = 0;  ///< vectors of the sample
  std::size_t learn = 0;   ///< of these, learn queries
  /// Vectors read at a time.
  std::size_t chunk_rows = 1;
  /// Vectors encoded before they are put in order, at the most.
  std::size_t run_rows = 0;

  std::int64_t id(std::size_t row) const {
    return options.ids.rows > 0 ? options.ids.data[row] : static_cast<std::int64_t>(row);
  }
  /// Where vectors on their way lie: in memory or, with max_memory, in a temporary file.
  StagingFile make_staging() const;
  /// Rows of the sample that a quantizer learns from.
  std::size_t quantizer_rows() const;

 private:
  void size_sample();
  void divide_memory();

  std::string folder_;
};

}  // namespace obliq
