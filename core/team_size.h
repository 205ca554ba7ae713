// How large a team of threads may be. The OpenMP runtime ends the process where the system makes no
// more threads, so whether it does is tried first, where a failure can be seen.
#pragma once

namespace obliq {

/// The number of threads, from 1 to `wanted`, of which the calling thread can make a team now:
/// those of its last team, which the runtime keeps, and as many more as the system makes. Inside a
/// parallel region 1. What others make between this and the team's start is not foreseen.
int team_size(int wanted);

}  // namespace obliq
