// How a query q and a base vector x are compared. In every metric a smaller distance means a nearer
// vector; distances are in the units of the input (l2 and ip: squared).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "obliq/export.h"

namespace obliq {

enum class Metric : std::uint8_t {
  l2 = 0,      ///< squared Euclidean distance |q-x|^2
  ip = 1,      ///< negated inner product -<q,x>
  cosine = 2,  ///< 1 - <q,x>/(|q||x|); 1 where either vector is zero
};

/// "l2", "ip" or "cosine". Throws std::invalid_argument on any other value of the enum.
OBLIQ_API std::string to_string(Metric metric);

/// The reverse. Also takes the names of ann-benchmarks and VIBE: "euclidean" is l2, "angular" and
/// "normalized" are cosine, "dot" and "inner_product" ip. Throws std::invalid_argument naming the
/// value and the valid ones.
OBLIQ_API Metric parse_metric(std::string_view name);

}  // namespace obliq
