// The reproduction tables of trellis-coded quantization, trained on N(0,1) by Lloyd's algorithm
// (measure/trellis_training.h; bench/train_trellis.cc prints them).
#pragma once

#include <cstddef>
#include <cstdint>

#include "quant/trellis/trellis.h"

namespace obliq {

struct TrellisTable {
  double unit;  ///< the level of state s is unit * levels[s]
  Trellis::Table levels;

  Trellis::Levels values() const;  ///< unit * levels
};

/// Requires 1 <= bits <= 4. Levels are at most 2047 in size, and levels[255 - s] = -levels[s].
TrellisTable trellis_table(std::size_t bits);

}  // namespace obliq
