#include "tools/measure/tick_clock.h"

#include <chrono>

#include "index/search/search_counters.h"

namespace obliq::tools {

using Clock = std::chrono::steady_clock;

std::uint64_t ticks() {
#if defined(__x86_64__)
  return __builtin_ia32_rdtsc();
#else
  return static_cast<std::uint64_t>(Clock::now().time_since_epoch().count());
#endif
}

TickCost measure_ticks() {
  constexpr std::chrono::milliseconds kDuration(10);
  constexpr int kBurst = 1000;
  StageTimes times = {ticks};
  std::uint64_t laps = 0;
  const auto start = Clock::now();
  times.start();
  while (Clock::now() - start < kDuration) {
    for (int i = 0; i < kBurst; ++i) times.lap(Stage::rest);
    laps += kBurst;
  }
  const std::chrono::duration<double, std::micro> passed = Clock::now() - start;
  const auto sum = static_cast<double>(times.ticks[static_cast<std::size_t>(Stage::rest)]);
  return {passed.count() / sum, passed.count() / static_cast<double>(laps)};
}

}  // namespace obliq::tools
