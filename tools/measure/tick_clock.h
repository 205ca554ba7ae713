// A clock that is cheap enough to be read a hundred times per query: the time stamp counter on
// x86-64, elsewhere the steady clock.
#pragma once

#include <cstdint>

namespace obliq::tools {

/// Ticks so far; a StageTimes::clock.
std::uint64_t ticks();

/// What one tick and one lap of a StageTimes take on this machine now.
struct TickCost {
  double us_per_tick = 0;
  double us_per_lap = 0;
};
/// Cost: 10 ms.
TickCost measure_ticks();

}  // namespace obliq::tools
