// Sums over queries; threads count for themselves and are added up.
#include "index/search/search_counters.h"

namespace obliq {

std::string_view to_string(Stage stage) {
  constexpr std::array<std::string_view, kStages> kNames = {"prepare", "signs", "ranks", "scan",
                                                            "refine",  "raw",   "rest"};
  return kNames[static_cast<std::size_t>(stage)];
}

void SearchCounters::add(const SearchCounters& other) {
  lists += other.lists;
  entries += other.entries;
  refined += other.refined;
  exact += other.exact;
  groups += other.groups;
  signs += other.signs;
  ranked += other.ranked;
  primaries += other.primaries;
  for (std::size_t s = 0; s < kStages; ++s) {
    times.ticks[s] += other.times.ticks[s];
    times.laps[s] += other.times.laps[s];
  }
}

}  // namespace obliq
