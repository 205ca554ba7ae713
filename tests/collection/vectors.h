// Vectors and ids that tests of collections add.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/random.h"
#include "obliq/collection.h"

namespace obliq::testing {

/// Of a collection that trains as early as one may.
inline CollectionOptions small_options(std::size_t dim) {
  CollectionOptions options;
  options.dim = dim;
  options.train_at = 1000;
  return options;
}

inline Matrix<float> random_vectors(std::size_t n, std::size_t dim, std::uint64_t seed = 1) {
  Random random(seed);
  Matrix<float> vectors(n, dim);
  for (float& x : vectors.values) x = static_cast<float>(random.gaussian());
  return vectors;
}

inline std::vector<std::int64_t> ids_from(std::int64_t first, std::size_t n) {
  std::vector<std::int64_t> ids;  // not by iota, which counts beyond the last of all
  for (std::size_t i = 0; i < n; ++i) ids.push_back(first + static_cast<std::int64_t>(i));
  return ids;
}

/// Puts n vectors with ids from `first` on there.
inline void upsert(Collection& collection, std::int64_t first, std::size_t n,
                   std::uint64_t seed = 1) {
  const std::vector<std::int64_t> ids = ids_from(first, n);
  collection.upsert(random_vectors(n, collection.options().dim, seed).view(), {ids.data(), n, 1});
}

}  // namespace obliq::testing
