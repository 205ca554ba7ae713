// Trains the tables of quant/trellis/trellis_tables.h: Lloyd's algorithm on N(0,1). Each pass codes
// new draws and moves every level to the mean of the coordinates that took it. The law is
// symmetric, and so are the tables: levels[255 - s] = -levels[s], the complement of a code means
// -y.
#pragma once

#include <cstddef>
#include <cstdint>

#include "quant/trellis/trellis.h"

namespace obliq {

/// Levels to start from: random ones, N(0, 1 - 4^-bits).
Trellis::Levels random_levels(std::size_t bits, std::uint64_t seed);

struct LloydPass {
  double distortion;       ///< of the levels given: mean (x - y)^2
  Trellis::Levels levels;  ///< the means; a level that nothing took stays
};

/// Codes `sequences` sequences of 1024 draws of N(0,1). The same bits on every platform. Cost: 40
/// us per sequence.
LloydPass lloyd_pass(std::size_t bits, const Trellis::Levels& levels, std::size_t sequences,
                     std::uint64_t seed);

}  // namespace obliq
