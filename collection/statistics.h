// What a collection counts and times while it is used, from any thread without a lock.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "core/latency_recorder.h"
#include "obliq/collection_stats.h"

namespace obliq {

/// The numbers of CollectionCounters, in their order.
enum class Counter : std::uint8_t {
  searches,
  queries,
  added,
  upserted,
  removed,
  logged_bytes,
  sealed_bytes,
  merged_bytes,
  trained_bytes,
  manifest_bytes,
  updated,
};
inline constexpr std::size_t kCounters = sizeof(CollectionCounters) / sizeof(std::uint64_t);
static_assert(static_cast<std::size_t>(Counter::updated) + 1 == kCounters);

/// What is timed.
enum class Timed : std::uint8_t { search, add, remove, sync, seal, merge, tune, train };
inline constexpr std::size_t kTimed = 8;

/// Seconds since 1970, by the clock of the system.
std::uint64_t unix_seconds();

class CollectionStatistics {
 public:
  void count(Counter what, std::uint64_t more) {
    counts_[static_cast<std::size_t>(what)].fetch_add(more, std::memory_order_relaxed);
  }
  LatencyRecorder& times(Timed what) { return times_[static_cast<std::size_t>(what)]; }

  /// What others had counted before. Not while of_life() is called.
  void set_before(const CollectionCounters& before);
  CollectionCounters of_life() const;
  /// Writes counters, latencies and write amplification. Requires file_bytes.
  void tell(CollectionStats& stats) const;

 private:
  CollectionCounters since_open() const;

  std::array<std::atomic<std::uint64_t>, kCounters> counts_ = {};
  std::array<std::atomic<std::uint64_t>, kCounters> before_ = {};
  std::array<LatencyRecorder, kTimed> times_;
};

}  // namespace obliq
