// What a build is to make, and how it divides its work: options checked and resolved against the
// base, and the bound on memory turned into sizes of chunks.
#pragma once

#include <cstddef>
#include <string>

#include "index/segment/segment.h"
#include "obliq/index.h"
#include "storage/staging_file.h"

namespace obliq {

class BuildPlan {
 public:
  /// The base and what the options view outlive this; `folder` is for temporary files. Throws as
  /// Index::build does, and where max_memory is too little.
  BuildPlan(const VectorSource& base, const BuildOptions& options, std::string folder);

  const VectorSource& base;
  const BuildOptions options;  ///< quantizer and spill are given
  const std::size_t n;
  const std::size_t dim;
  std::size_t nlist = 0;
  std::size_t spilled = 0;  ///< vectors that are to have a second entry
  /// Vectors of the base and of the sample read at a time.
  std::size_t chunk_rows = 1;
  /// Bytes of blocks and of rows made at a time, more or less.
  std::size_t piece_bytes = std::size_t{1} << 62;

  /// Where vectors on their way lie: in memory or, with max_memory, in a temporary file.
  StagingFile make_staging() const;

 private:
  void divide_memory();

  std::string folder_;
};

}  // namespace obliq
