// Which vectors of a base are its sample: those of the smallest keys. A key depends on the seed and
// the vector's id alone, so the sample is the same however the base is cut and in whatever order it
// comes.
#pragma once

#include <cstdint>

#include "core/random.h"

namespace obliq {

/// Of a vector in the sample of a seed; ties go to the smaller id.
inline std::uint64_t key_in_sample(std::uint64_t seed, std::int64_t id) {
  std::uint64_t state = seed;
  state = splitmix64(state) ^ static_cast<std::uint64_t>(id);
  return splitmix64(state);
}

}  // namespace obliq
