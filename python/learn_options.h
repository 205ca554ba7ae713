// What Index.build and Model.train take besides the vectors.
#pragma once

#include <nanobind/nanobind.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "obliq/index.h"
#include "python/arrays.h"

namespace obliq::python {

struct LearnOptions {
  std::string metric, preset, quantizer, raw;  // empty: not given; Python refuses empty names
  std::optional<double> spill;
  std::size_t nlist;
  std::size_t list_groups;
  std::uint64_t seed;
  int threads;
  int kmeans_iterations;
  std::size_t kmeans_points;
};

/// With the arrays, which the result views. Throws std::invalid_argument on an unknown name.
BuildOptions build_options(const LearnOptions& options, const std::optional<Ids>& ids,
                           const std::optional<FloatMatrix>& centroids,
                           const std::optional<FloatMatrix>& train_queries);

}  // namespace obliq::python
