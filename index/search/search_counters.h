// The work that searches do, and where their time goes: for profiles (index/index_access.h), not
// for callers. Every interval between two readings of the clock belongs to one stage, so the stages
// add up to the whole of a search.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace obliq {

/// What a query does, in this order; the last three for one list after the other.
enum class Stage : std::uint8_t {
  prepare,  ///< rotation, look-up tables, the query in the scorer's form
  signs,    ///< route: codes of groups' points, signs of centroids
  ranks,    ///< route: codes of a pool of centroids, and their order
  scan,
  refine,  ///< with the centroids of primary lists
  raw,
  rest,  ///< stop rule, order of the answers
};
constexpr std::size_t kStages = 7;

std::string_view to_string(Stage stage);

/// Ticks of a clock, by stage.
struct StageTimes {
  /// Returns the ticks so far of the calling thread; null: no times are taken. The library reads
  /// no clock of its own.
  std::uint64_t (*clock)() = nullptr;
  std::array<std::uint64_t, kStages> ticks = {};
  std::array<std::uint64_t, kStages> laps = {};  ///< number of intervals: readings of the clock
  std::uint64_t last = 0;                        ///< ticks when the current interval began

  void start() {
    if (clock != nullptr) last = clock();
  }
  /// The interval that ends now belongs to `stage`.
  void lap(Stage stage) {
    if (clock == nullptr) return;
    const std::uint64_t now = clock();
    ticks[static_cast<std::size_t>(stage)] += now - last;
    ++laps[static_cast<std::size_t>(stage)];
    last = now;
  }
};

/// Sums over queries.
struct SearchCounters {
  std::uint64_t lists = 0;      ///< lists scanned
  std::uint64_t entries = 0;    ///< entries scanned
  std::uint64_t refined = 0;    ///< rows refined
  std::uint64_t exact = 0;      ///< raw vectors compared
  std::uint64_t groups = 0;     ///< groups of lists compared by their codes
  std::uint64_t signs = 0;      ///< centroids compared by their signs
  std::uint64_t ranked = 0;     ///< centroids compared by their codes
  std::uint64_t primaries = 0;  ///< centroids of primary lists that are not probed
  StageTimes times = {};        ///< give it a clock, to have times

  /// Adds what `other` has counted and timed.
  void add(const SearchCounters& other);
};

}  // namespace obliq
