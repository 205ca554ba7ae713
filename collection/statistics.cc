// Counters live in memory; each manifest takes what they are then (manifest.h), so that they go on
// from there when the collection is opened again.
#include "collection/statistics.h"

#include <bit>
#include <chrono>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

namespace obliq {
namespace {

using Numbers = std::array<std::uint64_t, kCounters>;

constexpr std::array<const char*, kTimed> kTimedNames = {"search", "add",   "remove", "sync",
                                                         "seal",   "merge", "tune",   "train"};

}  // namespace

std::uint64_t unix_seconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(now).count());
}

double LatencyHistogram::upper_bound(std::size_t bucket) {
  if (bucket + 1 >= kBuckets) return std::numeric_limits<double>::infinity();
  return std::ldexp(1.0, static_cast<int>(bucket)) / 1e6;
}

std::uint64_t LatencyHistogram::count() const {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

double LatencyHistogram::quantile(double q) const {
  const double wanted = q * static_cast<double>(count());
  double below = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    below += static_cast<double>(counts[i]);
    if (below > 0 && below >= wanted) return upper_bound(i);
  }
  return 0;
}

void CollectionStatistics::set_before(const CollectionCounters& before) {
  const auto numbers = std::bit_cast<Numbers>(before);
  for (std::size_t i = 0; i < kCounters; ++i) before_[i] = numbers[i];
}

CollectionCounters CollectionStatistics::since_open() const {
  Numbers numbers;
  for (std::size_t i = 0; i < kCounters; ++i) {
    numbers[i] = counts_[i].load(std::memory_order_relaxed);
  }
  return std::bit_cast<CollectionCounters>(numbers);
}

CollectionCounters CollectionStatistics::of_life() const {
  auto numbers = std::bit_cast<Numbers>(since_open());
  for (std::size_t i = 0; i < kCounters; ++i) {
    numbers[i] += before_[i].load(std::memory_order_relaxed);
  }
  return std::bit_cast<CollectionCounters>(numbers);
}

void CollectionStatistics::tell(CollectionStats& stats) const {
  stats.since_open = since_open();
  stats.of_life = of_life();
  if (stats.file_bytes > 0) {
    stats.write_amplification =
        static_cast<double>(stats.of_life.written_bytes()) / static_cast<double>(stats.file_bytes);
  }
  for (std::size_t i = 0; i < kTimed; ++i) stats.latencies[kTimedNames[i]] = times_[i].read();
}

}  // namespace obliq
