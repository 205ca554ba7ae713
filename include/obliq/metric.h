// How two vectors are compared. Every distance is smaller for nearer vectors.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "obliq/export.h"

namespace obliq {

enum class Metric : std::uint8_t {
  l2 = 0,      ///< squared Euclidean distance |q-x|^2
  ip = 1,      ///< negated inner product -<q,x>
  cosine = 2,  ///< 1 - <q,x>/(|q||x|)
};

/// "l2", "ip" or "cosine".
OBLIQ_API std::string to_string(Metric metric);

/// The reverse. Throws std::invalid_argument naming the value and the valid ones.
OBLIQ_API Metric parse_metric(std::string_view name);

}  // namespace obliq
